#include <gtest/gtest.h>

#include <set>

#include "tests/graph/random_graph.h"
#include "tests/support/random_test.h"
#include "uniq/base/error.h"
#include "uniq/graph/text.h"

namespace uniq::graph {
namespace {

using GraphTextProperty = testing::RandomTest;

TEST_F(GraphTextProperty, WrittenAndReadBackIsEqual) {
  std::set<std::size_t> seen;
  for (int i = 0; i < 400; ++i) {
    const Graph graph = random_graph(random_, i % 60 + 1);
    for (const Node& node : graph.nodes()) seen.insert(node.op.index());
    const std::string text = to_text(graph);
    const Graph back = parse_graph(text, "text");
    ASSERT_EQ(back, graph) << text;
    ASSERT_EQ(to_text(back), text);
  }
  EXPECT_EQ(seen.size(), std::variant_size_v<Op>) << "the random networks miss an operator";
}

std::size_t pick(std::mt19937& random, std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
}

/// Changes, removes, repeats or inserts something somewhere.
void mutate(std::string& text, std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"=",
                                                   "(",
                                                   ")",
                                                   ",",
                                                   "\n",
                                                   "#",
                                                   "x",
                                                   "-1",
                                                   "99999999999999999999",
                                                   "0",
                                                   "1e308",
                                                   "nan",
                                                   "kernel=",
                                                   "input(",
                                                   "\r",
                                                   "\t ",
                                                   "add(",
                                                   "65536x65536",
                                                   "\\",
                                                   "\xff",
                                                   " ",
                                                   "groups=",
                                                   "padding=9223372036854775807"};
  const std::size_t at = pick(random, text.size() + 1);
  const std::size_t length = std::min(pick(random, 24) + 1, text.size() - at);
  switch (pick(random, 5)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(pick(random, 256));
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, text.substr(at, length));
      break;
    case 3:
      text.insert(at, kPieces[pick(random, kPieces.size())]);
      break;
    default:
      text.replace(at, length, kPieces[pick(random, kPieces.size())]);
  }
}

TEST_F(GraphTextProperty, DamagedTextIsReadOrRefused) {
  int read = 0;
  int refused = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string text = to_text(random_graph(random_, i % 12 + 1));
    for (std::size_t left = pick(random_, 3) + 1; left > 0; --left) mutate(text, random_);
    SCOPED_TRACE(text);
    try {
      const Graph graph = parse_graph(text, "text");
      ASSERT_EQ(parse_graph(to_text(graph), "text"), graph) << text;
      ++read;
    } catch (const Error& error) {
      ASSERT_EQ(typeid(error), typeid(Error)) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(read, 30);
  EXPECT_GT(refused, 3000);
}

}  // namespace
}  // namespace uniq::graph
