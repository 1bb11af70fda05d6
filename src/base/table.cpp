#include "atoll/base/table.hpp"

#include <algorithm>

#include "atoll/base/error.hpp"

namespace atl {

namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

TextTable::TextTable(std::vector<std::string> header)
    : header_(std::move(header)), align_(header_.size(), Align::left) {}

TextTable& TextTable::align(std::size_t column, Align how) {
  align_.at(column) = how;
  return *this;
}

TextTable& TextTable::align_right_from(std::size_t first) {
  for (std::size_t i = first; i < align_.size(); ++i) align_[i] = Align::right;
  return *this;
}

TextTable& TextTable::add(std::vector<std::string> cells) {
  if (cells.size() != header_.size()) {
    throw InternalError("a table of " + std::to_string(header_.size()) + " columns got a row of " +
                        std::to_string(cells.size()));
  }
  rows_.push_back(std::move(cells));
  return *this;
}

TextTable& TextTable::add_rule() {
  rows_.emplace_back();
  return *this;
}

std::string TextTable::text() const {
  std::vector<std::size_t> width(header_.size());
  for (std::size_t i = 0; i < header_.size(); ++i) {
    width[i] = columns_of(header_[i]);
    for (const auto& row : rows_) {
      if (!row.empty()) width[i] = std::max(width[i], columns_of(row[i]));
    }
  }
  std::string text;
  const auto put = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string space(width[i] - columns_of(cells[i]), ' ');
      if (i > 0) line += "  ";
      line += align_[i] == Align::left ? cells[i] + space : space + cells[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  std::vector<std::string> rule;
  for (const std::size_t w : width) rule.emplace_back(w, '-');
  put(header_);
  put(rule);
  for (const auto& row : rows_) put(row.empty() ? rule : row);
  return text;
}

}  // namespace atl
