#include "uniq/cli/evaluation_text.h"

#include "uniq/base/error.h"
#include "uniq/base/escape.h"
#include "uniq/cli/console.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"

namespace uniq::cli {
namespace {

using metrics::Evaluation;

std::string class_table(const Evaluation& evaluation, const std::vector<std::string>& names) {
  Table table({{"class"}, {"pictures", Table::Align::right}, {"top-1", Table::Align::right}});
  for (std::size_t i = 0; i < evaluation.classes.size(); ++i) {
    const Evaluation::PerClass& own = evaluation.classes[i];
    table.add({printable(names[i]), grouped(own.pictures),
               fixed(metrics::percent(own.correct, own.pictures), 2) + " %"});
  }
  return table.text();
}

std::string result_table(const Evaluation& evaluation, const EvalOptions& options,
                         const std::string& data) {
  Table table = facts();
  table.add(
      {"data", data + ", " + options.split + ", " + grouped(evaluation.pictures) + " pictures"});
  table.add({"loss", fixed(evaluation.loss, 4)});
  table.add({"top-1", fixed(evaluation.top1, 2) + " %"});
  table.add({"top-5", fixed(evaluation.top5, 2) + " %"});
  return table.text();
}

}  // namespace

data::Split split_of(const EvalOptions& options) {
  return options.split == "train" ? data::Split::train : data::Split::test;
}

void check_classes(const data::Dataset& dataset, const std::string& data,
                   const std::vector<std::string>& classes, const std::string& network) {
  if (dataset.classes.size() != classes.size()) {
    throw Error(ErrorText{"the data set does not fit the " + network, data,
                          std::to_string(dataset.classes.size()) + " classes",
                          std::to_string(classes.size()), "--data NAME"});
  }
  if (dataset.classes != classes) {
    report_warning("the classes of " + data + " have other names than those of the " + network);
  }
}

std::string evaluation_text(const Evaluation& evaluation, const EvalOptions& options,
                            const std::string& data, const std::vector<std::string>& classes) {
  if (options.json) return escaped_json(to_json(evaluation, classes)) + "\n";
  std::string text = result_table(evaluation, options, data);
  if (options.per_class) text += "\n" + class_table(evaluation, classes);
  return text;
}

}  // namespace uniq::cli
