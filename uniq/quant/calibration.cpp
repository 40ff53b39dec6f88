#include "uniq/quant/calibration.h"

namespace uniq::quant {

void for_each_quantizer(const torch::nn::Module& root,
                        const std::function<void(const std::string&, Quantizer&)>& action) {
  for (const auto& item : root.named_modules("", /*include_self=*/false))
    if (auto* quantizer = item.value()->as<Quantizer>()) action(item.key(), *quantizer);
}

void start_calibration(const torch::nn::Module& root) {
  for_each_quantizer(root, [](const std::string&, Quantizer& q) { q.start_calibration(); });
}

void stop_calibration(const torch::nn::Module& root) {
  for_each_quantizer(root, [](const std::string&, Quantizer& q) { q.stop_calibration(); });
}

std::vector<std::string> fallbacks(const torch::nn::Module& root) {
  std::vector<std::string> texts;
  for_each_quantizer(root, [&](const std::string&, Quantizer& q) {
    if (!q.fallback().empty()) texts.push_back(q.options().name + ": " + q.fallback());
  });
  return texts;
}

void arm_guards(const torch::nn::Module& root, double fraction) {
  for_each_quantizer(root, [&](const std::string&, Quantizer& q) { q.arm_guard(fraction); });
}

std::int64_t guard_steps(const torch::nn::Module& root) {
  std::int64_t lifted = 0;
  for_each_quantizer(root, [&](const std::string&, Quantizer& q) { lifted += q.guard(); });
  return lifted;
}

}  // namespace uniq::quant
