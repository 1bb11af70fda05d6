#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "atoll/app/command_line.hpp"
#include "atoll/app/results.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/maestro.hpp"
#include "atoll/exchange/timeloop.hpp"
#include "atoll/exchange/zigzag.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string store, format = "csv", out, to, mappings, accelerator;
};

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string id_text(std::uint64_t id) {
  return id == no_individual ? "" : fmt::format("{}", id);
}

std::string csv_header(const StoreLayout& layout) {
  std::string header = "task,generation,island,slot,id,parent_a,parent_b,origin,fitness,violation";
  for (const StoreGene& gene : layout.integer_genes) header += ',' + csv_cell(gene.name);
  for (const StoreGene& gene : layout.real_genes) header += ',' + csv_cell(gene.name);
  for (const StoreColumn& column : layout.costs) header += ',' + csv_cell(column.name);
  return header + '\n';
}

std::string csv_row(const StoreRow& row) {
  std::string text =
      fmt::format("{},{},{},{},{},{},{},{},{},{}", row.task, row.generation, row.island, row.slot,
                  individual_id(row.task, row.generation, row.island, row.slot), id_text(row.parent_a),
                  id_text(row.parent_b), row.origin, row.fitness, row.violation);
  for (const std::int32_t gene : row.integers) text += fmt::format(",{}", gene);
  for (const double gene : row.reals) text += fmt::format(",{}", gene);
  for (const double value : row.costs) text += fmt::format(",{}", value);
  return text + '\n';
}

// Row by row into a temporary name: stores may be larger than memory.
std::string export_individuals(const StoreReader& reader, const std::string& folder) {
  const std::string path = folder + "/individuals.csv";
  const std::string unfinished = path + ".part";
  std::ofstream out(unfinished, std::ios::binary);
  out << csv_header(reader.summary().layout);
  for (std::uint64_t r = 0; r < reader.summary().rows && out; ++r) out << csv_row(reader.row(r));
  out.close();
  std::error_code error;
  if (out) fs::rename(unfinished, path, error);
  if (!out || error) throw ResourceError(fmt::format("cannot write '{}'; is the disk full?", path));
  return path;
}

std::string export_layers(const Results& results, const std::string& folder) {
  std::string text = "name,multiplicity,macs,cycles,energy_pJ,edp,utilisation,roofline_ratio\n";
  for (const TaskResult& task : results.tasks) {
    if (!task.found) continue;
    text += fmt::format("{},{},{},{},{},{},{},{}\n", csv_cell(task.name), task.multiplicity, task.macs,
                        task.cycles, task.energy, task.edp, task.utilisation, task.ratio());
  }
  const std::string path = folder + "/best.csv";
  write_text_file_atomically(path, text);
  return path;
}

std::string export_json(const StoredRun& stored, const Results& results, const std::string& folder) {
  const std::string path = folder + "/best.json";
  write_text_file_atomically(path, results_json(stored, results));
  return path;
}

std::vector<std::string> export_nests(const StoredRun& stored, const Results& results,
                                      const std::string& folder) {
  std::vector<std::string> paths;
  for (const TaskResult& task : results.tasks) {
    if (!task.found) continue;
    paths.push_back(folder + "/" + file_stem(task) + ".txt");
    write_text_file_atomically(paths.back(),
                               stored.problem.space->to_text(task.task, task.row.integers, task.row.reals));
  }
  return paths;
}

// What goes to another tool: an accelerator and mappings on it.
struct Outgoing {
  Accelerator accelerator;
  std::vector<OutgoingMapping> mappings;
  std::string folder;
};

Outgoing outgoing_of_store(const ExportOptions& options) {
  const StoredRun stored = open_stored_run(options.store);
  const MappingSpace* space = stored.problem.mapping_space();
  if (space == nullptr)
    throw InputError(
        fmt::format("{}: this store holds networks, not mappings; --to writes mappings. Export the "
                    "best network, search its mappings in a run of its own, and export that",
                    options.store));
  Outgoing outgoing{stored.problem.accelerator, {}, {}};
  for (const TaskResult& task : collect_results(stored).tasks)
    if (task.found)
      outgoing.mappings.push_back(
          {file_stem(task), space->layer(task.task), space->decode(task.task, task.row.integers)});
  outgoing.folder = (fs::path(store_path(options.store)).parent_path() / "export" / options.to).string();
  return outgoing;
}

Outgoing outgoing_of_lines(const ExportOptions& options) {
  if (options.accelerator.empty())
    throw InputError("export: --mappings needs --accelerator, the hardware that they are for");
  Outgoing outgoing{read_accelerator(options.accelerator), {}, options.to};
  std::size_t number = 0;
  for (const std::string& line : split(read_text_file(options.mappings), '\n')) {
    ++number;
    if (trimmed(line).empty()) continue;
    const LayerMapping entry =
        mapping_from_json(line, outgoing.accelerator, fmt::format("{}:{}", options.mappings, number));
    outgoing.mappings.push_back({fmt::format("mapping-{}", number), entry.layer, entry.mapping});
  }
  if (outgoing.mappings.empty())
    throw InputError(
        fmt::format("{}: expected one mapping a line, as JSON; found no line", options.mappings));
  return outgoing;
}

ExitCode export_to_tool(const ExportOptions& options) {
  if (options.store.empty() == options.mappings.empty())
    throw InputError(
        "export: --to takes its mappings from one place: a STORE, or --mappings and --accelerator");
  const Outgoing outgoing =
      options.mappings.empty() ? outgoing_of_store(options) : outgoing_of_lines(options);
  const auto write = options.to == "timeloop" ? export_timeloop
                     : options.to == "zigzag" ? export_zigzag
                                              : export_maestro;
  const Exported exported = write(outgoing.accelerator, outgoing.mappings);
  for (const std::string& refusal : exported.refusals) fmt::print(stderr, "not written: {}\n", refusal);
  if (exported.refusals.size() == outgoing.mappings.size())
    throw InputError(fmt::format("export: none of {} mappings can be written for {}",
                                 outgoing.mappings.size(), options.to));
  for (const std::string& text : exported.notes) fmt::print(stderr, "note: {}\n", text);
  const std::string folder = options.out.empty() ? outgoing.folder : options.out;
  make_folder(folder);
  for (const ForeignFile& file : exported.files) {
    const std::string path = (fs::path(folder) / file.path).string();
    write_text_file_atomically(path, file.text);
    fmt::print("{}\n", path);
  }
  return ExitCode::done;
}

ExitCode export_store(const ExportOptions& options) {
  if (!options.to.empty()) return export_to_tool(options);
  if (options.store.empty()) throw InputError("export: STORE is required");
  if (!options.mappings.empty()) throw InputError("export: --mappings goes with --to");
  const StoredRun stored = open_stored_run(options.store);
  const Results results = collect_results(stored);
  const std::string folder = options.out.empty()
                                 ? (fs::path(store_path(options.store)).parent_path() / "export").string()
                                 : options.out;
  make_folder(folder);
  std::vector<std::string> paths;
  if (options.format == "csv") {
    paths = {export_layers(results, folder), export_individuals(*stored.reader, folder)};
  } else if (options.format == "json") {
    paths = {export_json(stored, results, folder)};
  } else {
    paths = export_nests(stored, results, folder);
  }
  for (const std::string& path : paths) fmt::print("{}\n", path);
  return ExitCode::done;
}

}  // namespace

Action declare_export(CommandLine& line) {
  const auto options = std::make_shared<ExportOptions>();
  line.optional("STORE", options->store, "a store or a run folder");
  line.choice("--to", options->to, {"timeloop", "zigzag", "maestro"},
              "write the best mappings and the accelerator as another tool's input files");
  line.optional("--mappings", options->mappings,
                "with --to: a file of mappings as evaluate reads, instead of a STORE");
  line.optional("--accelerator", options->accelerator, "with --mappings: their hardware's .yaml file");
  line.choice("--format", options->format, {"csv", "json", "nest"},
              "csv: all individuals and a table of the best; json: the best; nest: loop nests of the best");
  line.optional("--out", options->out,
                "folder; default: export beside the store, or with --mappings the tool's name");
  return [options](ProgramArguments&) { return export_store(*options); };
}

}  // namespace atl
