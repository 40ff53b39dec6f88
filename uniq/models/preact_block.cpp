#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::models {

using graph::Value;

PreactNames preact_names(const std::string& block, const std::string& shortcut) {
  return {.bn1 = block + ".bn1",
          .relu1 = block + ".relu1",
          .conv1 = block + ".conv1",
          .bn2 = block + ".bn2",
          .relu2 = block + ".relu2",
          .conv2 = block + ".conv2",
          .shortcut = block + "." + shortcut,
          .add = block + ".add"};
}

Value preact_block(const Value& x, const PreactNames& names, std::int64_t channels,
                   std::int64_t stride) {
  const Value active = x.batch_norm(names.bn1).relu(names.relu1);
  const Value body =
      active
          .conv2d(names.conv1,
                  {.out_channels = channels, .kernel = 3, .stride = stride, .padding = 1})
          .batch_norm(names.bn2)
          .relu(names.relu2)
          .conv2d(names.conv2, {.out_channels = channels, .kernel = 3, .padding = 1});
  const bool same_shape = stride == 1 && x.shape().channels == channels;
  const Value shortcut =
      same_shape ? x
                 : active.conv2d(names.shortcut,
                                 {.out_channels = channels, .kernel = 1, .stride = stride});
  return body.add(names.add, shortcut);
}

}  // namespace uniq::models
