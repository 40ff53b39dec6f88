#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/packed_facts.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/cli/tuned_network.h"
#include "uniq/data/picture.h"
#include "uniq/data/prepare.h"
#include "uniq/runtime/session.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Prediction {
  std::size_t label = 0;
  float logit = 0.0f;
  double probability = 0.0;
};

struct Seen {
  std::string file;
  std::size_t index = 0;  ///< of the picture in its file
  std::size_t count = 1;  ///< of pictures in the file
  std::vector<Prediction> predictions;
  std::string error;  ///< why there are none
};

std::string name_of(const Seen& seen) {
  if (seen.count == 1) return seen.file;
  return seen.file + ", picture " + std::to_string(seen.index);
}

/// softmax in double, less the largest logit, so that no exponential overflows.
std::vector<double> probabilities(const std::vector<float>& logits) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> shares;
  shares.reserve(logits.size());
  for (const float logit : logits) shares.push_back(std::exp(static_cast<double>(logit) - largest));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

/// The first of all classes by their logits, of equal ones the lower class, as in argmax.
std::vector<Prediction> best(const std::vector<float>& logits, std::int64_t count) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  const std::vector<double> shares = probabilities(logits);
  std::vector<Prediction> predictions;
  predictions.reserve(order.size());
  for (const std::size_t label : order)
    predictions.push_back({label, logits[label], shares[label]});
  return predictions;
}

std::vector<float> logits_of(const data::Picture& fitted, runtime::Session& session,
                             const std::string& name) {
  std::vector<float> logits(static_cast<std::size_t>(session.network().classes()));
  session.run(fitted.pixels, logits);
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) {
    throw Error(ErrorText{"the network's answer is NaN or Inf", name, "", "finite logits",
                          "`uniqnn inspect` on the packed model"});
  }
  return logits;
}

/// Keeps what `look` finds in a picture or, where it throws an Error, why it finds nothing. Returns
/// whether it found something.
template <class Look>
bool keep(Seen& own, Look look) {
  try {
    own.predictions = look();
    return true;
  } catch (const Error& error) {
    own.error = error.what();
    report_error(own.error);
    return false;
  }
}

void look_at(const std::string& file, const RunOptions& options, runtime::Session& session,
             std::vector<Seen>& seen) {
  Seen own{.file = input_name(file), .predictions = {}, .error = {}};
  std::vector<data::Picture> pictures;
  const bool is_read = keep(own, [&] {
    pictures = data::read_pictures(read_input(file, data::kLargestPictureFile), own.file);
    return std::vector<Prediction>();
  });
  if (!is_read) seen.push_back(own);
  own.count = pictures.size();
  const std::size_t wanted =
      options.first == 0 ? pictures.size() : static_cast<std::size_t>(options.first);
  const data::Preprocessing& preprocessing = session.network().model().preprocessing;
  for (std::size_t i = 0; i < std::min(wanted, pictures.size()); ++i) {
    own.index = i;
    bool fits = false;
    keep(seen.emplace_back(own), [&] {
      const data::Picture fitted = data::prepare(pictures[i], preprocessing, name_of(own));
      fits = true;
      return best(logits_of(fitted, session, name_of(own)), options.top);
    });
    if (!fits) return;  // the pictures of a file have one size
  }
}

std::string result_text(const std::vector<Seen>& seen, const std::vector<std::string>& classes) {
  std::string text;
  for (const Seen& own : seen) {
    if (!own.error.empty()) continue;
    Table table({{""}, {""}, {"", Table::Align::right}});
    for (const Prediction& prediction : own.predictions) {
      table.add({"", printable(classes[prediction.label]),
                 fixed(100.0 * prediction.probability, 2) + " %"});
    }
    if (!text.empty()) text += "\n";
    text += printable(name_of(own), 1000) + "\n" + table.text();
  }
  return text;
}

Json result_json(const std::vector<Seen>& seen, const RunOptions& options,
                 const std::vector<std::string>& classes) {
  Json pictures = Json::array();
  for (const Seen& own : seen) {
    if (!own.error.empty()) {
      pictures.push_back({{"file", own.file}, {"index", own.index}, {"error", own.error}});
      continue;
    }
    Json predictions = Json::array();
    for (const Prediction& prediction : own.predictions) {
      predictions.push_back({{"class", classes[prediction.label]},
                             {"label", prediction.label},
                             {"probability", prediction.probability},
                             {"logit", prediction.logit}});
    }
    pictures.push_back(
        {{"file", own.file}, {"index", own.index}, {"predictions", std::move(predictions)}});
  }
  return {{"model", options.model}, {"pictures", std::move(pictures)}};
}

}  // namespace

int run(const RunOptions& options) {
  const auto network = load_tuned_network(options.model, options.threads);
  runtime::Session session(network, {.threads = options.threads});
  std::vector<Seen> seen;
  for (const std::string& file : options.images) look_at(file, options, session, seen);
  const std::vector<std::string> classes = class_names(network->model());
  print(options.json ? json_text(result_json(seen, options, classes)) : result_text(seen, classes));
  const bool all_read =
      std::ranges::all_of(seen, [](const Seen& own) { return own.error.empty(); });
  return all_read ? kSuccess : kFailure;
}

}  // namespace uniq::cli
