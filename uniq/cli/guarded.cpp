#include "uniq/cli/guarded.h"

#include <csignal>
#include <exception>
#include <filesystem>
#include <new>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"

namespace uniq::cli {

namespace {

int report_errors_of(const std::function<int()>& body) {
  try {
    return body();
  } catch (const ReaderGone&) {
    return kFailure;
  } catch (const UsageError& error) {
    report_error(error.what());
    return kUsage;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::filesystem::filesystem_error& error) {
    report_error(to_string({.what = "cannot use the file or folder",
                            .where = error.path1().string(),
                            .got = error.code().message()}));
    return kFailure;
  } catch (const std::exception& error) {
    report_error(error.what());
    return kFailure;
  }
}

}  // namespace

int guarded(const std::function<int()>& body) {
  // A full disk and a reader that went away are errors of a write, not the end of the process:
  // training goes on when nobody reads its progress any more.
  ignore_file_size_signal();
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return report_errors_of([&body] {
      open_standard_descriptors();
      return body();
    });
  } catch (const std::bad_alloc&) {  // of the body, or of a message
    report_out_of_memory();
    return kFailure;
  }
}

}  // namespace uniq::cli
