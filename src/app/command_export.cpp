#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "atoll/app/command_line.hpp"
#include "atoll/app/results.hpp"
#include "atoll/base/files.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string store, format = "csv", out;
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

ExitCode export_store(const ExportOptions& options) {
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
  line.required("STORE", options->store, "a store or a run folder");
  line.choice("--format", options->format, {"csv", "json", "nest"},
              "csv: all individuals and a table of the best; json: the best; nest: loop nests of the best");
  line.optional("--out", options->out, "folder; default: export beside the store");
  return [options](ProgramArguments&) { return export_store(*options); };
}

}  // namespace atl
