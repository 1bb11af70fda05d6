// Rows of other tools' result files, evaluated by our models and answered under those tools' own names, so
// that a row and its answer can be compared number by number. One source a tool: timeloop_rows.cpp,
// zigzag_rows.cpp, maestro_rows.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace atl {

struct RowOptions {
  /// Folders that may hold accelerators/reference/<tool>/<name>.yaml, first match wins.
  std::vector<std::string> data_folders;
  std::string accelerator;          // a file that stands for whatever the rows name; empty: as the rows say
  bool timeloop_semantics = false;  // Timeloop's rules instead of our own (rows of Timeloop only)
  bool strict = true;               // refuse what no hardware could do (rows of MAESTRO only)
  bool explain = false;             // describe every mapping through `explain_to`
  std::function<void(const std::string&)> explain_to;
};

/// What came of a file of rows.
struct RowCount {
  std::size_t rows = 0;
  std::size_t refused = 0;
};

/// Evaluates every row of `text` and hands one line of JSON for each to `take`, in order: the row's `id` (its
/// number from 1 where it has none) and the quantities of that tool, or `refused` with the reason. `file`
/// stands for the text in messages. A row that is malformed or not legal is refused; InputError only where
/// nothing can be read at all (no rows, no header).
using TakeLine = std::function<void(const std::string& line)>;

/// JSON lines as `timeloop-model` results: problem, mapping, and the accelerator's name as `arch`. The answer
/// is `result`.
RowCount evaluate_timeloop_rows(const std::string& text, const std::string& file, const RowOptions& options,
                                const TakeLine& take);
/// Lines of our own (MODEL.md, "A mapping as a line of JSON") for the accelerator file `options.accelerator`,
/// counted by Timeloop's rules; answered as evaluate_timeloop_rows() does.
RowCount evaluate_own_rows_by_timeloop(const std::string& text, const std::string& file,
                                       const RowOptions& options, const TakeLine& take);
/// JSON lines of ZigZag's cost model: layer, spatial and temporal mapping, `accelerator`.
RowCount evaluate_zigzag_rows(const std::string& text, const std::string& file, const RowOptions& options,
                              const TakeLine& take);
/// CSV with a header: MAESTRO's layers, platforms and dataflows.
RowCount evaluate_maestro_rows(const std::string& text, const std::string& file, const RowOptions& options,
                               const TakeLine& take);

/// The file accelerators/reference/<tool>/<name>.yaml in a data folder or the current one. InputError lists
/// what there is.
std::string find_reference_accelerator(const RowOptions& options, const std::string& tool,
                                       const std::string& name);

}  // namespace atl
