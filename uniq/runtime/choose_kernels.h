// Chooses a kernel for every convolution of codes of a packed model. Computes nothing with them, so
// that the CPU may be any: the machine need not have its instruction sets.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "uniq/format/packed_model.h"
#include "uniq/runtime/choice.h"

namespace uniq::runtime {

/// The shape of a convolution that reads a map of shape `input`.
kernels::ConvShape conv_shape(const format::PackedNode& node, const graph::Shape& input);

/// A convolution of codes; `values`: format::values_of the model.
kernels::CodeConv code_conv(const format::PackedNode& node,
                            std::span<const format::PackedValue> values);

/// A choice for each node, in their order; null where the node is no convolution of codes. A kernel
/// is taken by its expected cycles on `cpu` (choose_together), or as `tuned` says, which may be
/// null. Precondition: has_isa(isa, cpu).
std::vector<std::unique_ptr<ConvChoice>> choose_kernels(const format::PackedModel& model,
                                                        std::span<const format::PackedValue> values,
                                                        kernels::Isa isa, const CpuInfo& cpu,
                                                        const Without& without, const Tuned* tuned);

}  // namespace uniq::runtime
