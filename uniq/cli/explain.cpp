#include "uniq/cli/explain.h"

#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

#include "uniq/base/text.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;
using kernels::CodeLayout;
using runtime::Buffer;
using runtime::ConvChoice;
using runtime::Network;

std::string pair_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

std::string map_text(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return std::to_string(channels) + "x" + pair_text(height, width);
}

/// "64x56x56 -> 64x56x56, kernel 3x3, weights 2 bits, codes 2 bits".
std::string conv_text(const kernels::CodeConv& conv) {
  const kernels::ConvShape& s = conv.shape;
  std::string text = map_text(s.in_channels, s.in_height, s.in_width) + " -> " +
                     map_text(s.out_channels, s.out_height, s.out_width) + ", kernel " +
                     pair_text(s.kernel_height, s.kernel_width);
  if (s.stride_height * s.stride_width != 1)
    text += ", stride " + pair_text(s.stride_height, s.stride_width);
  if (s.dilation_height * s.dilation_width != 1)
    text += ", dilation " + pair_text(s.dilation_height, s.dilation_width);
  if (s.groups != 1) text += ", groups " + std::to_string(s.groups);
  return text + ", weights " + std::to_string(conv.weight_bits) + " bits, codes " +
         std::to_string(conv.activation_bits) + " bits";
}

/// Nothing where it was not timed.
double measured_ms(const ConvChoice& choice, std::size_t candidate) {
  return choice.measured.empty() ? 0.0 : choice.measured[candidate];
}

std::string candidates_text(const ConvChoice& choice) {
  constexpr auto kRight = Table::Align::right;
  Table table(
      {{""}, {"kernel"}, {"kcycles", kRight}, {"tuned ms", kRight}, {"", Table::Align::left}});
  for (std::size_t i = 0; i < choice.candidates.size(); ++i) {
    const kernels::ConvCandidate& own = choice.candidates[i];
    const double ms = measured_ms(choice, i);
    table.add({i == choice.taken ? " *" : "", own.kernel->name,
               own.refusal.empty() ? grouped(std::llround(own.cycles / 1000)) : "",
               ms > 0.0 ? fixed(ms, 4) : "", runtime::verdict(choice, i)});
  }
  return table.text();
}

/// One buffer of codes.
struct Stored {
  std::string name;  ///< of the node that writes it
  int times = 1;     ///< the how manieth of the value
  const Buffer* buffer = nullptr;
  std::vector<std::string> readers;
};

std::vector<Stored> stored_codes(const Network& network) {
  std::vector<Stored> all;
  const std::vector<Buffer>& buffers = network.buffers();
  for (std::size_t id = 0; id < buffers.size(); ++id) {
    if (!buffers[id].is_codes) continue;
    const auto value = static_cast<std::size_t>(buffers[id].value);
    Stored own{.name = {}, .buffer = &buffers[id], .readers = {}};
    own.name = network.steps()[static_cast<std::size_t>(network.values()[value].node)].name;
    own.times = static_cast<int>(id) - network.buffer_of(buffers[id].value) + 1;
    for (const runtime::Step& step : network.steps())
      if (!step.inputs.empty() && step.inputs[0] == static_cast<int>(id))
        own.readers.push_back(step.name);
    all.push_back(std::move(own));
  }
  return all;
}

const char* form_name(CodeLayout::Form form) {
  return form == CodeLayout::Form::planes ? "planes" : "bytes";
}

std::string stored_text(const Network& network) {
  constexpr auto kRight = Table::Align::right;
  Table table({{"codes of"},
               {"form"},
               {"bits", kRight},
               {"border", kRight},
               {"size", kRight},
               {"read by"}});
  bool is_again = false;
  for (const Stored& own : stored_codes(network)) {
    const CodeLayout& layout = own.buffer->layout;
    is_again = is_again || own.times > 1;
    std::vector<std::string> readers;
    for (const std::string& reader : own.readers) readers.push_back(printable(reader));
    table.add({printable(own.name) + (own.times > 1 ? " (again)" : ""), form_name(layout.form),
               std::to_string(layout.bits), pair_text(layout.border_height, layout.border_width),
               human_bytes(static_cast<double>(own.buffer->bytes)), join(readers)});
  }
  return table.text() + (is_again ? "(again): readers want different layouts; the epilogue that "
                                    "writes the one writes the other too\n"
                                  : "each value is written once, as all of its readers want it\n");
}

/// A convolution whose sums are added in 64 bits has no other kernel.
const runtime::Sums64Core* sums64_of(const Network& network, std::size_t node) {
  return std::get_if<runtime::Sums64Core>(&network.steps()[node].core);
}

std::int64_t largest_sum(const Network& network, std::size_t index) {
  const format::PackedNode& node = network.model().nodes[index];
  const format::PackedValue& input = network.values()[static_cast<std::size_t>(node.inputs[0])];
  return format::largest_sum(format::sum_terms(node, input.shape), node.weights, input.encoding);
}

std::string sums64_text(const Network& network, std::size_t node) {
  return " * " + network.steps()[node].kernel() + "  sums up to " +
         grouped(largest_sum(network, node)) +
         " can leave 32 bits: they are added in 64, which is slower; fewer bits for its weights or "
         "its input avoid that\n";
}

Json sums64_json(const Network& network, std::size_t node) {
  const kernels::CodeConv& conv = sums64_of(network, node)->prepared.conv;
  Json kernel{{"kernel", network.steps()[node].kernel()},
              {"taken", true},
              {"verdict", "taken: sums can leave 32 bits"}};
  return {{"name", network.steps()[node].name},
          {"convolution", conv_text(conv)},
          {"weight_bits", conv.weight_bits},
          {"activation_bits", conv.activation_bits},
          {"tuned", false},
          {"candidates", Json::array({std::move(kernel)})},
          {"largest_sum", largest_sum(network, node)}};
}

Json conv_json(const std::string& name, const ConvChoice& choice) {
  Json candidates = Json::array();
  for (std::size_t i = 0; i < choice.candidates.size(); ++i) {
    const kernels::ConvCandidate& own = choice.candidates[i];
    Json json{{"kernel", own.kernel->name}, {"taken", i == choice.taken}};
    if (own.refusal.empty()) json["cycles"] = own.cycles;
    if (const double ms = measured_ms(choice, i); ms > 0.0) json["tuned_ms"] = ms;
    json["verdict"] = runtime::verdict(choice, i);
    candidates.push_back(std::move(json));
  }
  return {{"name", name},
          {"convolution", conv_text(choice.conv)},
          {"weight_bits", choice.conv.weight_bits},
          {"activation_bits", choice.conv.activation_bits},
          {"tuned", choice.is_tuned},
          {"candidates", std::move(candidates)}};
}

}  // namespace

std::string explain_text(const Network& network) {
  std::string text;
  for (std::size_t i = 0; i < network.steps().size(); ++i) {
    const std::string name = printable(network.steps()[i].name) + ": ";
    if (const auto* core = sums64_of(network, i))
      text += name + conv_text(core->prepared.conv) + "\n" + sums64_text(network, i) + "\n";
    if (network.choices()[i] == nullptr) continue;
    const ConvChoice& choice = *network.choices()[i];
    text += name + conv_text(choice.conv) + "\n" + candidates_text(choice) + "\n";
  }
  return text + stored_text(network);
}

Json explain_json(const Network& network) {
  Json convolutions = Json::array();
  for (std::size_t i = 0; i < network.steps().size(); ++i) {
    if (sums64_of(network, i) != nullptr) convolutions.push_back(sums64_json(network, i));
    if (network.choices()[i] != nullptr)
      convolutions.push_back(conv_json(network.steps()[i].name, *network.choices()[i]));
  }
  Json codes = Json::array();
  for (const Stored& own : stored_codes(network)) {
    const CodeLayout& layout = own.buffer->layout;
    codes.push_back({{"of", own.name},
                     {"form", form_name(layout.form)},
                     {"bits", layout.bits},
                     {"border", {layout.border_height, layout.border_width}},
                     {"bytes", own.buffer->bytes},
                     {"again", own.times > 1},
                     {"read_by", own.readers}});
  }
  return {{"convolutions", std::move(convolutions)}, {"codes", std::move(codes)}};
}

}  // namespace uniq::cli
