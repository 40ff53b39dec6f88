// Columns of text under headings.
#pragma once

#include <string>
#include <vector>

namespace uniq::cli {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string heading;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns);
  /// As many cells as there are columns; they are escaped (base/escape.h).
  void add(std::vector<std::string> cells);
  /// Two blanks between columns, each line ended by a newline; no line of headings where all are
  /// empty.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Names on the left, values on the right; for what has no headings.
Table facts();

}  // namespace uniq::cli
