// What passes between atoll and another tool: files as texts, and a word about everything that does not carry
// over. A format that would change the meaning of a mapping refuses it; what only changes figures is noted,
// one line each, so that nobody compares two tools without knowing where they were not told the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/simulator/mapping.hpp"

namespace atl {

/// A file as it is on disk; `path` stands in messages and in the sources of figures.
struct ForeignFile {
  std::string path;
  std::string text;
};

/// A mapping to be written; `name` becomes the stem of its files.
struct OutgoingMapping {
  std::string name;
  Layer layer;
  Mapping mapping;
};

struct Exported {
  std::vector<ForeignFile> files;     // names without a folder
  std::vector<std::string> notes;     // written, but not all of it carries over
  std::vector<std::string> refusals;  // not written: "<name>: <reason>"
};

struct Imported {
  Accelerator accelerator;         // every figure with its file and line as source
  std::vector<std::string> notes;  // what could not be carried over
};

/// A text as the name of an accelerator or a level: small letters, digits and '_', at most 40 of them, never
/// empty.
std::string plain_name(std::string_view text);

/// The number with the fewest digits that read back as the same double ("16", "0.1").
std::string number_text(double value);

/// The bound of every loop (how often it turns) of one level, by dimension.
using LoopBounds = std::array<std::uint32_t, dim_count>;
LoopBounds bounds_between(const Extents& outer, const Extents& inner);

/// Why a mapping cannot be written at all: check()'s reason, a layer without multiplications, tiles that
/// do not divide (where `divisors_only`); empty if it can.
std::string why_not_exported(const OutgoingMapping& named, const Accelerator& accelerator,
                             bool divisors_only);

/// Adds a note unless it is there already.
void note(std::vector<std::string>& notes, const std::string& text);

/// An accelerator in the making: figures are noted with the place they come from.
class AcceleratorDraft {
 public:
  Imported result;

  /// `figure` is a dotted path as in Accelerator::sources. `node` gives file and line; `what` names the
  /// entry.
  void source(const std::string& figure, const YamlNode& node, const std::string& what);
  void source(const std::string& figure, const std::string& text);
  void note(const std::string& text) { atl::note(result.notes, text); }
  /// plain_name(text), made unique among the levels with a number.
  std::string level_name(std::string_view text) const;
  /// Puts a fan-out below the last level; InputError with `file` if there is none yet.
  void add_fanout(std::uint32_t x, std::uint32_t y, const std::string& source_text);
  /// Writes the result and reads it back, so that what leaves is legal. InputError names `file`.
  Imported finish(const std::string& file);
};

}  // namespace atl
