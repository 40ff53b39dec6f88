#include "uniq/data/batch_maker.h"

#include <algorithm>

#include "uniq/base/error.h"
#include "uniq/base/memory.h"

namespace uniq::data {

BatchMaker::BatchMaker(const Dataset& dataset, const Preprocessing& preprocessing,
                       const LoaderOptions& options)
    : dataset_(dataset),
      shape_{dataset.channels, dataset.height, dataset.width},
      values_(pixel_values(preprocessing)),
      augmentation_(options.augmentation),
      batch_size_(options.batch_size),
      seed_(options.seed) {}

void BatchMaker::make(std::span<const std::int64_t> order, std::int64_t epoch, std::int64_t index,
                      Batch& batch) const {
  const auto size = static_cast<std::int64_t>(order.size());
  const std::int64_t first = index * batch_size_;
  batch.index = index;
  batch.count = std::min(batch_size_, size - first);
  const auto pixels = static_cast<std::size_t>(batch.count * shape_.size());
  with_memory("a batch of " + std::to_string(batch.count) + " pictures", pixels * sizeof(float),
              [&] {
                batch.pixels.resize(pixels);
                batch.labels.resize(static_cast<std::size_t>(batch.count));
              });

  Random random(seed_, Stream::augmentation,
                {static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index)});
  Crop batch_crop;
  if (augmentation_.crop_per_batch) batch_crop = draw_crop(augmentation_.pad, random);
  for (std::int64_t place = 0; place < batch.count; ++place) {
    const PictureDraw draw = draw_picture(augmentation_, shape_, batch_crop, random);
    add_picture(order[static_cast<std::size_t>(first + place)], place, draw, batch);
  }
}

void BatchMaker::add_picture(std::int64_t picture, std::int64_t place, const PictureDraw& draw,
                             Batch& batch) const {
  const auto size = static_cast<std::size_t>(shape_.size());
  const auto at = static_cast<std::size_t>(picture);
  if (at >= dataset_.labels.size() || (at + 1) * size > dataset_.pixels.size()) {
    throw Error({"picture out of range", "data loader", "picture " + std::to_string(picture),
                 "below " + std::to_string(dataset_.count()), ""});
  }
  const std::span all(dataset_.pixels);
  const std::span out(batch.pixels);
  render_picture(all.subspan(at * size, size), shape_, values_, augmentation_, draw,
                 out.subspan(static_cast<std::size_t>(place) * size, size));
  batch.labels[static_cast<std::size_t>(place)] = dataset_.labels[at];
}

}  // namespace uniq::data
