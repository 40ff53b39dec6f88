#include "uniq/recipe/keys.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "uniq/base/file.h"

namespace uniq::recipe {
namespace {

TEST(Keys, NamesAreUniqueAndDocumented) {
  std::set<std::string> names;
  for (const Key& key : keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_FALSE(is_section(key.name)) << key.name;
    EXPECT_FALSE(key.type.empty()) << key.name;
    EXPECT_TRUE(key.doc.ends_with('.')) << key.name;
    EXPECT_EQ((key.type + key.doc).find('|'), std::string::npos) << key.name;
    EXPECT_EQ(find_key(key.name), &key);
  }
  EXPECT_EQ(find_key("train"), nullptr);
  EXPECT_TRUE(is_section("train"));
  EXPECT_TRUE(is_section("data.augmentation"));
  EXPECT_FALSE(is_section("dat"));
}

TEST(Keys, NearestKey) {
  EXPECT_EQ(nearest_key("train.epoch"), "train.epochs");
  EXPECT_EQ(nearest_key("lr"), "optimizer.lr");
  EXPECT_EQ(nearest_key("data.seed"), "seed");
  EXPECT_EQ(nearest_key("quantise"), "quantize");
  EXPECT_EQ(nearest_key("bas"), "base");
  EXPECT_EQ(nearest_key("data.augmentations"), "data.augmentation");
  EXPECT_EQ(nearest_key("qqqqqqqqqqqqqqqqqqqqqqq"), "");
}

TEST(Keys, DocumentationIsTheListOfKeys) {
  const std::string path = std::string(UNIQ_SOURCE) + "/docs/recipes.md";
  const std::string begin = "<!-- keys: begin -->\n";
  const std::string end = "<!-- keys: end -->";
  const std::string page = read_file(path);
  const std::size_t first = page.find(begin);
  const std::size_t last = page.find(end);
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(last, std::string::npos);
  const std::string expected = page.substr(0, first) + begin + keys_markdown() + page.substr(last);
  if (std::getenv("UNIQ_UPDATE_DOCS") != nullptr) {
    write_file(path, expected);
    return;
  }
  EXPECT_TRUE(page == expected)
      << "docs/recipes.md and the list in uniq/recipe/keys.cpp differ; write the table anew by\n"
         "UNIQ_UPDATE_DOCS=1 uniq_recipe_test --gtest_filter=Keys.DocumentationIsTheListOfKeys";
}

}  // namespace
}  // namespace uniq::recipe
