#include <algorithm>
#include <array>
#include <cstdio>

#include "uniq/base/text.h"
#include "uniq/graph/summary.h"

namespace uniq::graph {
namespace {

enum Column { kLayer, kType, kShape, kBits, kGrids, kParameters, kMacs, kSize, kFp32Size, kCount };
using Row = std::array<std::string, kCount>;

const Row kHeading = {"layer",      "type", "output", "bits w/a", "grids w/a",
                      "parameters", "MACs", "size",   "fp32 size"};

bool is_right_aligned(int column) { return column >= kParameters; }

/// 1234567 -> "1,234,567".
std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (std::ptrdiff_t i = std::ssize(digits) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return digits;
}

std::string size_text(std::int64_t bytes) { return human_bytes(static_cast<double>(bytes)); }

std::string fixed(double value, int digits) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  return buffer.data();
}

Row layer_row(const LayerSummary& layer) {
  std::string bits = "fp32";
  std::string grids = "-";
  if (layer.bits.quantized()) {
    bits =
        std::to_string(layer.bits.weight_bits) + "/" + std::to_string(layer.bits.activation_bits);
    grids = std::string(grid_name(layer.bits.weight_grid)) + "/" +
            std::string(grid_name(layer.bits.activation_grid));
  }
  return {layer.name,
          layer.op,
          to_string(layer.out),
          bits,
          grids,
          grouped(layer.parameters),
          grouped(layer.macs),
          size_text(layer.weight_bytes),
          size_text(layer.fp32_bytes)};
}

Row batch_norm_row(const Summary& summary) {
  const std::string size = size_text(4 * summary.batch_norm_parameters);
  return {std::to_string(summary.batch_norms) + (summary.batch_norms == 1 ? " node" : " nodes"),
          "batch_norm",
          "",
          "fp32",
          "-",
          grouped(summary.batch_norm_parameters),
          "0",
          size,
          size};
}

std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, kCount> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kCount; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < kCount; ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      if (i > 0) line += "  ";
      line += is_right_aligned(static_cast<int>(i)) ? blanks + row[i] : row[i] + blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string to_table(const Summary& summary) {
  std::vector<Row> rows = {kHeading};
  for (const LayerSummary& layer : summary.layers) rows.push_back(layer_row(layer));
  if (summary.batch_norms > 0) rows.push_back(batch_norm_row(summary));
  rows.push_back({"total", "", "", "", "", grouped(summary.parameters), grouped(summary.macs),
                  size_text(summary.weight_bytes), size_text(summary.fp32_bytes)});
  return aligned(rows) + size_text(summary.weight_bytes) + " instead of " +
         size_text(summary.fp32_bytes) + ", " + fixed(summary.compression(), 2) +
         " times smaller; " + fixed(100.0 * summary.quantized_share(), 1) +
         " % of the multiply-accumulates are quantized.\n";
}

}  // namespace uniq::graph
