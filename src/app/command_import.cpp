#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "atoll/app/command_line.hpp"
#include "atoll/base/files.hpp"
#include "atoll/exchange/accelerator_text.hpp"
#include "atoll/exchange/maestro.hpp"
#include "atoll/exchange/timeloop.hpp"
#include "atoll/exchange/zigzag.hpp"

namespace atl {

namespace {

struct ImportOptions {
  std::vector<std::string> paths;
  std::string from, name, out, accelerator;
};

std::vector<ForeignFile> read_files(const std::vector<std::string>& paths) {
  std::vector<ForeignFile> files;
  for (const std::string& path : paths) files.push_back({path, read_text_file(path)});
  return files;
}

void put_out(const ImportOptions& options, const std::string& text) {
  if (options.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_text_file_atomically(options.out, text);
  }
}

const ForeignFile& only_file(const std::vector<ForeignFile>& files, const std::string& tool) {
  if (files.size() > 1)
    throw InputError(
        fmt::format("import: {} describes hardware in one file; {} were given", tool, files.size()));
  return files.front();
}

ExitCode import_accelerator(const ImportOptions& options, const std::vector<ForeignFile>& files) {
  const Imported imported = options.from == "timeloop" ? import_timeloop(files, options.name)
                            : options.from == "zigzag"
                                ? import_zigzag(only_file(files, "ZigZag"), options.name)
                                : import_maestro(only_file(files, "MAESTRO"), options.name);
  std::vector<std::string> comments;
  for (const std::string& note : imported.notes) {
    fmt::print(stderr, "note: {}\n", note);
    if (comments.empty()) comments.emplace_back("Not carried over:");
    comments.push_back("- " + note);
  }
  put_out(options, accelerator_text(imported.accelerator, comments));
  return ExitCode::done;
}

ExitCode import_mapping(const ImportOptions& options, const std::vector<ForeignFile>& files) {
  if (options.from != "timeloop")
    throw InputError(
        fmt::format("import: --accelerator turns Timeloop's mappings into atoll's; mappings of {} "
                    "are not read",
                    options.from));
  const Accelerator accelerator = read_accelerator(options.accelerator);
  const LayerMapping entry = import_timeloop_mapping(files, accelerator);
  const std::string reason = check(entry.mapping, entry.layer, accelerator, true);
  if (!reason.empty()) throw InputError(fmt::format("{}: {}", files.front().path, reason));
  put_out(options, mapping_to_json(entry.mapping, entry.layer, accelerator) + "\n");
  return ExitCode::done;
}

}  // namespace

Action declare_import(CommandLine& line) {
  const auto options = std::make_shared<ImportOptions>();
  line.choice("--from", options->from, {"timeloop", "zigzag", "maestro"}, "whose files these are");
  line.several(
      "FILES", options->paths,
      "Timeloop: architecture, ERT, ART, constraints, in any split; ZigZag: an accelerator; MAESTRO: a "
      "hardware file");
  line.optional("--name", options->name, "name of the accelerator; default: as in the files");
  line.optional(
      "--accelerator", options->accelerator,
      "Timeloop: FILES hold a problem and a mapping for this hardware; prints it as evaluate reads it");
  line.optional("--out", options->out, "file for the result; default standard output");
  return [options](ProgramArguments&) {
    if (options->from.empty()) throw InputError("import: --from is required: timeloop, zigzag or maestro");
    const std::vector<ForeignFile> files = read_files(options->paths);
    return options->accelerator.empty() ? import_accelerator(*options, files)
                                        : import_mapping(*options, files);
  };
}

}  // namespace atl
