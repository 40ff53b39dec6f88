#include "uniq/cli/guarded.h"

#include <csignal>
#include <exception>
#include <new>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"

namespace uniq::cli {

int guarded(const std::function<int()>& body) {
  // A full disk and a reader that went away are errors of a write, not the end of the process:
  // training goes on when nobody reads its progress any more.
  ignore_file_size_signal();
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return body();
  } catch (const ReaderGone&) {
    return kFailure;
  } catch (const UsageError& error) {
    report_error(error.what());
    return kUsage;
  } catch (const std::bad_alloc&) {
    report_error("out of memory");
    return kFailure;
  } catch (const std::exception& error) {
    report_error(error.what());
    return kFailure;
  }
}

}  // namespace uniq::cli
