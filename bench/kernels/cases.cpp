#include "bench/kernels/cases.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "uniq/base/error.h"
#include "uniq/runtime/parts.h"

namespace uniq::bench {
namespace {

using kernels::CodeConv;
using kernels::CodeLayout;
using kernels::ConvKernel;
using kernels::ConvShape;

/// A square window, padded so that the output is 1/stride of the input.
constexpr ConvShape square(std::int64_t in, std::int64_t out, std::int64_t size,
                           std::int64_t kernel, std::int64_t stride = 1, std::int64_t groups = 1) {
  return {.in_channels = in,
          .in_height = size,
          .in_width = size,
          .out_channels = out,
          .out_height = size / stride,
          .out_width = size / stride,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = stride,
          .stride_width = stride,
          .padding_height = kernel / 2,
          .padding_width = kernel / 2,
          .groups = groups};
}

constexpr NamedShape kShapes[] = {
    {"3x3-64x56", square(64, 64, 56, 3)},
    {"3x3-256x14", square(256, 256, 14, 3)},
    {"3x3-512x7", square(512, 512, 7, 3)},
    {"3x3/2-64x28", square(64, 128, 56, 3, 2)},
    {"1x1-256x14", square(256, 256, 14, 1)},
    {"7x7/2-3x112", square(3, 64, 224, 7, 2)},
    {"dw3x3-144x56", square(144, 144, 56, 3, 1, 144)},
};

std::vector<std::uint8_t> random_codes(std::int64_t count, int bits, std::mt19937& random) {
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(count));
  for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(random() & max_code(bits));
  return codes;
}

/// What brings sums of random codes to about 1.
float scale_of(const CodeConv& conv) {
  const double products = static_cast<double>(conv.shape.taps() * conv.shape.group_in());
  return static_cast<float>(
      3.0 / (std::sqrt(products) * max_code(conv.weight_bits) * max_code(conv.activation_bits)));
}

const ConvKernel& scalar_kernel() { return kernels::conv_kernels().back(); }

/// The kernel's sums of the whole, by all_sums.
std::vector<std::int32_t> sums_of(const Problem& problem, const ConvKernel& kernel) {
  const CodeLayout layout = kernel.input_layout(problem.conv);
  AlignedBytes map(static_cast<std::size_t>(layout.bytes() + kernels::kReadBeyond));
  write_codes(layout, problem.input, map.as<std::uint8_t>());
  const kernels::PreparedConv prepared = kernel.prepare(problem.conv, layout, problem.weights);
  return kernels::all_sums(kernel, prepared, map.as<std::uint8_t>());
}

template <class Values>
void expect_equal(const Values& got, const Values& expected, const char* what,
                  const Problem& problem, const ConvKernel& kernel) {
  const auto [here, there] = std::ranges::mismatch(got, expected);
  if (here == got.end() && there == expected.end()) return;
  const auto place = std::distance(got.begin(), here);
  throw Error(
      {.what = std::string("wrong ") + what + " at " + std::to_string(place),
       .where = std::string(kernel.name) + ", " + problem.shape.name + ", " + problem.widths.name(),
       .got = here == got.end() ? "an end" : std::to_string(*here),
       .expected = there == expected.end()
                       ? "an end"
                       : std::to_string(*there) + ", as the scalar kernel gives"});
}

}  // namespace

std::span<const NamedShape> named_shapes() { return kShapes; }

std::string Widths::name() const {
  return "w" + std::to_string(weights) + "a" + std::to_string(activations);
}

Widths parse_widths(const std::string& text) {
  const auto is_width = [](char c) { return c >= '1' && c <= '8'; };
  if (text.size() != 4 || text[0] != 'w' || !is_width(text[1]) || text[2] != 'a' ||
      !is_width(text[3]))
    throw UsageError(
        {.what = "unknown widths", .where = "--bits", .got = text, .expected = "such as w2a2"});
  return {text[1] - '0', text[3] - '0'};
}

CodeConv code_conv(const NamedShape& shape, Widths widths) {
  return {.shape = shape.shape,
          .weight_bits = widths.weights,
          .weight_grid = Grid::mid_rise,
          .activation_bits = widths.activations,
          .activation_grid = Grid::unsigned_,
          .pad_code = 0};
}

Problem::Problem(const NamedShape& shape_, Widths widths_)
    : shape(shape_), widths(widths_), conv(code_conv(shape_, widths_)) {
  std::mt19937 random(1);
  const ConvShape& s = conv.shape;
  weights = random_codes(s.out_channels * s.taps() * s.group_in(), widths.weights, random);
  input = random_codes(s.in_height * s.in_width * s.in_channels, widths.activations, random);
  sums = sums_of(*this, scalar_kernel());
  KernelRun scalar(*this, scalar_kernel(), kernels::Isa::scalar);
  scalar.run_whole();
  codes = scalar.codes();
}

KernelRun::KernelRun(const Problem& problem, const ConvKernel& kernel, kernels::Isa isa)
    : kernel_(kernel), loops_(kernels::loops_of(isa)) {
  const CodeConv& conv = problem.conv;
  const ConvShape& s = conv.shape;
  const auto outs = static_cast<std::size_t>(s.out_channels);
  scale_.assign(outs, scale_of(conv));
  bias_.assign(outs, 0.125f);
  factor_.assign(outs, 0.75f);
  shift_.assign(outs, 0.25f);
  const CodeLayout layout = kernel.input_layout(conv);
  output_ = {.form = layout.form,
             .bits = conv.activation_bits,
             .channels = s.out_channels,
             .height = s.out_height,
             .width = s.out_width};

  using Kind = kernels::EpilogueStage::Kind;
  step_.core = runtime::CodeConvCore{.kernel = &kernel,
                                     .prepared = kernel.prepare(conv, layout, problem.weights)};
  step_.epilogue = {
      .channels = s.out_channels,
      .scale = scale_.data(),
      .bias = bias_.data(),
      .outputs = {{.stages = {{Kind::affine, factor_.data(), shift_.data()}, {Kind::relu}},
                   .bits = conv.activation_bits,
                   .step = 2.0f / static_cast<float>(max_code(conv.activation_bits)),
                   .layout = output_}}};
  step_.program = kernels::EpilogueProgram(step_.epilogue);
  step_.rows = s.out_height;
  step_.columns = s.out_width;
  parts_ = runtime::parts_of(step_, 1);

  map_ = AlignedBytes(static_cast<std::size_t>(layout.bytes() + kernels::kReadBeyond));
  write_codes(layout, problem.input, map_.as<std::uint8_t>());
  std::size_t scratch = 0;
  std::size_t sums = 0;
  for (const kernels::ConvPart& part : parts_) {
    scratch = std::max(
        scratch,
        kernel.scratch_bytes(std::get<runtime::CodeConvCore>(step_.core).prepared, part.rows));
    sums = std::max(sums, runtime::sums_bytes(part, step_.columns));
  }
  scratch_ = AlignedBytes(scratch);
  sums_ = AlignedBytes(sums);
  output_map_ = AlignedBytes(static_cast<std::size_t>(output_.bytes()));
}

kernels::SumTerms KernelRun::part_sums(const kernels::ConvPart& part) {
  const auto& core = std::get<runtime::CodeConvCore>(step_.core);
  return kernel_.sums(core.prepared, map_.as<std::uint8_t>(), part, scratch_.data(),
                      sums_.as<std::int32_t>());
}

void KernelRun::run_sums() {
  for (const kernels::ConvPart& part : parts_) part_sums(part);
}

void KernelRun::run_whole() {
  for (const kernels::ConvPart& part : parts_) {
    const kernels::SumTerms terms = part_sums(part);
    void* const to = output_map_.data() + output_.at(part.first_row, 0);
    // Rows lie behind each other, without a border.
    step_.program.run(loops_, {.pixels = part.rows * step_.columns,
                               .first_channel = part.first_channel,
                               .channels = part.channels,
                               .sums = sums_.as<std::int32_t>(),
                               .pixel = kernels::sums_stride(part.channels),
                               .terms = terms,
                               .outputs = &to});
  }
}

std::vector<std::uint8_t> KernelRun::codes() const {
  std::vector<std::uint8_t> codes(
      static_cast<std::size_t>(output_.height * output_.width * output_.channels));
  read_codes(output_, output_map_.as<std::uint8_t>(), codes);
  return codes;
}

void KernelRun::check(const Problem& problem) {
  expect_equal(sums_of(problem, kernel_), problem.sums, "sum", problem, kernel_);
  run_whole();
  expect_equal(codes(), problem.codes, "code", problem, kernel_);
}

}  // namespace uniq::bench
