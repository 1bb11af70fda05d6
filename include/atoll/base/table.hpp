// Aligned tables of text for the console: what `run`, `best`, `inspect` and `describe` print.
#pragma once

#include <string>
#include <vector>

namespace atl {

enum class Align { left, right };

/// Collects rows and lays them out in columns as wide as their longest cell (characters of UTF-8 count
/// once). Two spaces stand between columns, a line of dashes below the header, no trailing spaces.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header);

  /// Alignment of a column; left by default.
  TextTable& align(std::size_t column, Align how);
  /// Aligns every column from `first` on to the right: figures.
  TextTable& align_right_from(std::size_t first);
  /// InternalError if the number of cells differs from the header's.
  TextTable& add(std::vector<std::string> cells);
  /// A line of dashes, e.g. above a total.
  TextTable& add_rule();

  bool empty() const { return rows_.empty(); }
  /// The table, each line ended by a line feed.
  std::string text() const;

 private:
  std::vector<std::string> header_;
  std::vector<Align> align_;
  std::vector<std::vector<std::string>> rows_;  // an empty row is a rule
};

}  // namespace atl
