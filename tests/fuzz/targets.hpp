// The readers of foreign input, each as a function of bytes that anybody may have written. Whatever the bytes
// are, an InputError (or a refusal inside a result) is the only failure that may come out.
// The fuzzers (fuzzer.cpp) and the test of the corpus (tests/exchange/fuzz_corpus.cpp) call the same
// functions.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/base/error.hpp"
#include "atoll/exchange/accelerator_text.hpp"
#include "atoll/exchange/maestro.hpp"
#include "atoll/exchange/rows.hpp"
#include "atoll/exchange/timeloop.hpp"
#include "atoll/exchange/zigzag.hpp"
#include "atoll/network/network.hpp"
#include "atoll/simulator/explain.hpp"
#include "atoll/simulator/simulator.hpp"

namespace atl::fuzz {

inline const Accelerator& eyeriss() {
  static const Accelerator accelerator =
      read_accelerator(std::string(ATOLL_SOURCE_DIR) + "/accelerators/eyeriss.yaml");
  return accelerator;
}

// A mapping that is read and legal must have a cost, and an explanation.
inline void evaluate(const LayerMapping& entry, const Accelerator& accelerator) {
  if (!check(entry.mapping, entry.layer, accelerator, true).empty()) return;
  static const auto simulator = make_simulator("loopnest", eyeriss());
  static const HardwareRow hardware = hardware_row(eyeriss());
  std::vector<double> costs(simulator->schema().width());
  simulator->evaluate({{&entry.layer, 1}, {&hardware, 1}, {&entry.mapping, 1}}, costs);
  explain(entry.mapping, entry.layer, accelerator, simulator->schema(), costs);
}

inline void mapping_json(const std::string& text) {
  evaluate(mapping_from_json(text, eyeriss(), "fuzz"), eyeriss());
}

inline void accelerator(const std::string& text) {
  const Accelerator read = parse_accelerator(text, "fuzz");
  parse_accelerator(accelerator_text(read, {text}), "again");
}

// Networks are read from files.
inline std::string as_file(const std::string& text, const char* ending) {
  const auto path =
      std::filesystem::temp_directory_path() / ("atoll-fuzz-" + std::to_string(getpid()) + ending);
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

inline void network(const std::string& text, const char* ending) {
  const std::string path = as_file(text, ending);
  try {
    read_network(path);
  } catch (...) {
    std::filesystem::remove(path);
    throw;
  }
  std::filesystem::remove(path);
}
inline void network_yaml(const std::string& text) {
  network(text, ".yaml");
}
inline void network_onnx(const std::string& text) {
  network(text, ".onnx");
}

inline RowOptions row_options() {
  RowOptions options;
  options.data_folders = {ATOLL_SOURCE_DIR};
  return options;
}
inline void ignore_line(const std::string& /*line*/) {}
inline void timeloop_rows(const std::string& text) {
  RowOptions options = row_options();
  options.timeloop_semantics = true;
  evaluate_timeloop_rows(text, "fuzz", options, ignore_line);
}
inline void zigzag_rows(const std::string& text) {
  evaluate_zigzag_rows(text, "fuzz", row_options(), ignore_line);
}
inline void maestro_rows(const std::string& text) {
  RowOptions options = row_options();
  options.strict = false;
  evaluate_maestro_rows(text, "fuzz", options, ignore_line);
}

inline void import_architecture(const std::string& text) {
  const ForeignFile file{"fuzz", text};
  export_timeloop(import_timeloop(std::span(&file, 1), "").accelerator, {});
}
inline void import_mapping(const std::string& text) {
  const ForeignFile file{"fuzz", text};
  evaluate(import_timeloop_mapping(std::span(&file, 1), eyeriss()), eyeriss());
}
inline void import_memories(const std::string& text) {
  export_zigzag(import_zigzag({"fuzz", text}, "").accelerator, {});
}
inline void import_hardware(const std::string& text) {
  export_maestro(import_maestro({"fuzz", text}, "").accelerator, {});
}

struct Target {
  std::string_view name;  // its corpus is tests/data/fuzz/<name>/
  void (*read)(const std::string&);
};
inline constexpr Target targets[] = {
    {"mapping_json", mapping_json},      {"accelerator", accelerator},
    {"network_yaml", network_yaml},      {"network_onnx", network_onnx},
    {"timeloop_rows", timeloop_rows},    {"zigzag_rows", zigzag_rows},
    {"maestro_rows", maestro_rows},      {"import_architecture", import_architecture},
    {"import_mapping", import_mapping},  {"import_memories", import_memories},
    {"import_hardware", import_hardware}};

/// Runs one target; every error but the user's comes out.
inline void run(const Target& target, const std::string& text) {
  try {
    target.read(text);
  } catch (const InputError&) {
  }
}

}  // namespace atl::fuzz
