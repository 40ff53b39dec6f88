// The operators' CPU kernels: dense tensors cut into blocks of one step each, in parallel.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "uniq/quant/arguments.h"
#include "uniq/quant/loops.h"

namespace uniq::quant {
namespace {

// x's elements in memory order, cut where the step changes and every kBlock elements.
class Blocks {
 public:
  Blocks(std::int64_t elements, std::int64_t steps)
      : slice_(steps > 0 ? elements / steps : 0),
        per_slice_((slice_ + kBlock - 1) / kBlock),
        count_(per_slice_ * steps) {}

  struct Block {
    std::int64_t first, size, step;
  };
  Block at(std::int64_t index) const {
    const std::int64_t step = index / per_slice_;
    const std::int64_t begin = index % per_slice_ * kBlock;
    return {step * slice_ + begin, std::min(kBlock, slice_ - begin), step};
  }
  std::int64_t count() const { return count_; }
  std::int64_t per_step() const { return per_slice_; }

  // Blocks are handed out one by one: each is large enough to be worth a thread's while.
  template <class Body>
  void parallel(const Body& body) const {
    at::parallel_for(0, count_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) body(i, at(i));
    });
  }

 private:
  std::int64_t slice_, per_slice_, count_;
};

struct Arguments {
  at::Tensor x;     // dense, dimension 0 outermost where there are several steps
  at::Tensor step;  // contiguous
  Grid grid;
  int bits;
  const Loops& loops = quant::loops();

  Arguments(const at::Tensor& x_in, const at::Tensor& step_in, std::int64_t bits_in,
            std::string_view grid_name)
      : x(x_in),
        step(step_in.contiguous()),
        grid(checked_grid(grid_name, bits_in)),
        bits(static_cast<int>(bits_in)) {
    check_shapes(x, step);
    check_step(step, bits, grid);
    if (!x.is_non_overlapping_and_dense()) x = at::empty_like(x).copy_(x);
    if (step.numel() > 1 && x.stride(0) * x.size(0) != x.numel()) x = x.contiguous();
  }
  GridConstants constants(std::int64_t index) const {
    return {step.const_data_ptr<float>()[index], grid_offset(grid, bits),
            static_cast<float>(max_code(bits))};
  }
  Blocks blocks() const { return {x.numel(), step.numel()}; }
};

// `result`, whose strides are those of Arguments::x, with the strides that empty_like(x) has: what
// the meta kernels promise.
at::Tensor laid_out_like(const at::Tensor& x, const at::Tensor& result) {
  if (result.strides() == x.strides()) return result;
  const at::Tensor target = at::empty_like(x, result.options());
  return target.strides() == result.strides() ? result : target.copy_(result);
}

// Other types go through fp32 block by block, in buffers on the stack that stay in the L1 cache.
template <class T>
void widen(const T* from, float* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]);
}
template <class T>
void narrow(const float* from, T* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
}

// gx of a gradient in double, which a way through fp32 would round.
void pass_inside(const double* gy, const float* x, double* gx, std::int64_t count,
                 GridConstants grid) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float u = x[i] / grid.step - grid.offset;
    gx[i] = u > 0.0f && u < grid.largest ? gy[i] : 0.0;
  }
}

template <class Body>
void for_type(at::ScalarType type, const Body& body) {
  switch (type) {
    case at::kFloat:
      return body(float{});
    case at::kBFloat16:
      return body(at::BFloat16{});
    case at::kHalf:
      return body(at::Half{});
    case at::kDouble:
      return body(double{});
    default:
      TORCH_CHECK_TYPE(false, "uniq: type not supported: got ", type,
                       ", expected float, bfloat16, half or double");
  }
}

// The block's values as fp32: in place, or widened into `buffer`.
template <class T>
const float* as_float(const T* data, float* buffer, std::int64_t count) {
  if constexpr (std::is_same_v<T, float>) return data;
  widen(data, buffer, count);
  return buffer;
}

at::Tensor fake_quantize_cpu(const at::Tensor& x, const at::Tensor& step, std::int64_t bits,
                             c10::string_view grid, double /*grad_scale*/) {
  const Arguments in(x, step, bits, grid);
  at::Tensor y = at::empty_like(in.x);
  for_type(in.x.scalar_type(), [&](auto zero) {
    using T = decltype(zero);
    const T* source = in.x.const_data_ptr<T>();
    T* target = y.mutable_data_ptr<T>();
    in.blocks().parallel([&](std::int64_t, Blocks::Block b) {
      if constexpr (std::is_same_v<T, float>) {
        in.loops.fake_quantize(source + b.first, target + b.first, b.size, in.constants(b.step));
      } else {
        float buffer[kBlock];
        widen(source + b.first, buffer, b.size);
        in.loops.fake_quantize(buffer, buffer, b.size, in.constants(b.step));
        narrow(buffer, target + b.first, b.size);
      }
    });
  });
  return laid_out_like(x, y);
}

at::Tensor quantize_cpu(const at::Tensor& x, const at::Tensor& step, std::int64_t bits,
                        c10::string_view grid) {
  const Arguments in(x, step, bits, grid);
  at::Tensor codes = at::empty_like(in.x, in.x.options().dtype(at::kByte));
  std::uint8_t* target = codes.mutable_data_ptr<std::uint8_t>();
  std::atomic<bool> good = true;
  for_type(in.x.scalar_type(), [&](auto zero) {
    using T = decltype(zero);
    const T* source = in.x.const_data_ptr<T>();
    in.blocks().parallel([&](std::int64_t, Blocks::Block b) {
      float buffer[std::is_same_v<T, float> ? 1 : kBlock];
      const float* values = as_float(source + b.first, buffer, b.size);
      if (!in.loops.quantize(values, target + b.first, b.size, in.constants(b.step))) good = false;
    });
  });
  TORCH_CHECK_VALUE(good, "uniq: NaN has no code");
  return laid_out_like(x, codes);
}

std::tuple<at::Tensor, at::Tensor> fake_quantize_backward_cpu(
    const at::Tensor& gy_in, const at::Tensor& x, const at::Tensor& step, std::int64_t bits,
    c10::string_view grid, double grad_scale) {
  const Arguments in(x, step, bits, grid);
  TORCH_CHECK_VALUE(gy_in.sizes() == x.sizes(), "uniq: gradient of another shape: got ",
                    gy_in.sizes(), ", expected ", x.sizes());
  at::Tensor gx = at::empty_like(in.x);
  at::Tensor gy = gy_in.to(in.x.scalar_type());
  if (gy.strides() != in.x.strides()) gy = at::empty_like(in.x).copy_(gy);
  const Blocks blocks = in.blocks();
  std::vector<float> partial(static_cast<std::size_t>(blocks.count()));
  for_type(in.x.scalar_type(), [&](auto zero) {
    using T = decltype(zero);
    const T* source = in.x.const_data_ptr<T>();
    const T* gradient = gy.const_data_ptr<T>();
    T* target = gx.mutable_data_ptr<T>();
    blocks.parallel([&](std::int64_t index, Blocks::Block b) {
      float& sum = partial[static_cast<std::size_t>(index)];
      if constexpr (std::is_same_v<T, float>) {
        sum = in.loops.fake_quantize_backward(gradient + b.first, source + b.first,
                                              target + b.first, b.size, in.constants(b.step));
      } else {
        float values[kBlock], gradients[kBlock];
        widen(source + b.first, values, b.size);
        widen(gradient + b.first, gradients, b.size);
        sum = in.loops.fake_quantize_backward(gradients, values, gradients, b.size,
                                              in.constants(b.step));
        if constexpr (std::is_same_v<T, double>) {
          pass_inside(gradient + b.first, values, target + b.first, b.size, in.constants(b.step));
        } else {
          narrow(gradients, target + b.first, b.size);
        }
      }
    });
  });
  at::Tensor gstep = at::empty(step.sizes(), step.options());
  float* sums = gstep.mutable_data_ptr<float>();
  for (std::int64_t s = 0; s < gstep.numel(); ++s) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < blocks.per_step(); ++i)
      sum += partial[static_cast<std::size_t>(s * blocks.per_step() + i)];
    sums[s] = static_cast<float>(sum * grad_scale);
  }
  return {laid_out_like(x, gx), gstep};
}

}  // namespace

TORCH_LIBRARY_IMPL(uniq, CPU, m) {
  m.impl("fake_quantize", fake_quantize_cpu);
  m.impl("fake_quantize_backward", fake_quantize_backward_cpu);
  m.impl("quantize", quantize_cpu);
}

}  // namespace uniq::quant
