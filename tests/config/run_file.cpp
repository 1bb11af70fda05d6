#include "atoll/config/run_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "../../src/config/run_keys.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/random.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string data = std::string(ATOLL_TEST_DATA) + "/app/";

class RunFileTest : public testing::Test {
 protected:
  RunFileTest() {
    folder_ = testing::TempDir() + "atoll_run_file_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
    std::filesystem::copy_file(data + "small.yaml", folder_ + "/small.yaml",
                               std::filesystem::copy_options::overwrite_existing);
    write_text_file_atomically(folder_ + "/chip.yaml", "name: chip\n");
  }
  ~RunFileTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/run.yaml"; }
  RunFile read(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    write_text_file_atomically(path(), text);
    return read_run_file(path(), overrides);
  }
  // The message without the folder in front.
  std::string error(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    try {
      RunFile run = read(text, overrides);
      settle_islands(run, 2);
    } catch (const InputError& wrong) {
      std::string message = wrong.what();
      if (message.starts_with(folder_)) message = message.substr(folder_.size() + 1);
      return message;
    }
    return "accepted";
  }
  std::string folder_;
};

const std::string minimal = "problem: {network: small.yaml, accelerator: chip.yaml}\n";

TEST_F(RunFileTest, FillsDefaultsAndFindsFilesBesideTheRunFile) {
  RunFile run = read(minimal);
  EXPECT_EQ(run.name, "run");
  EXPECT_EQ(run.problem.network, std::filesystem::absolute(folder_ + "/small.yaml").string());
  EXPECT_EQ(run.islands.policies, std::vector<std::string>{"standard"});
  EXPECT_EQ(run.islands.count, 0U);
  settle_islands(run, 3);
  EXPECT_EQ(run.islands.count, 3U);
  EXPECT_EQ(run.island_policies().size(), 3U);
}

TEST_F(RunFileTest, FindsShippedFilesInTheDataFolders) {
  write_text_file_atomically(
      path(), "problem: {network: networks/resnet18.yaml, accelerator: accelerators/eyeriss.yaml}");
  const std::string source = ATOLL_SOURCE_DIR;
  const RunFile run = read_run_file(path(), {}, {source, source + "/configs"});
  EXPECT_EQ(run.problem.network, source + "/configs/networks/resnet18.yaml");
  EXPECT_EQ(run.problem.accelerator, source + "/accelerators/eyeriss.yaml");
}

struct Wrong {
  std::string text;     // what follows `minimal`
  std::string place;    // "line:column"
  std::string message;  // a part of it
};

TEST_F(RunFileTest, EveryMistakeNamesItsPlaceAndWhatWasExpected) {
  const std::vector<Wrong> mistakes = {
      {"islands: {sise: 4}", "2:11", "did you mean 'size'?"},
      {"island: {size: 4}", "2:1", "did you mean 'islands'?"},
      {"islands: {size: many}", "2:17", "expected a whole number from 1 to 65535, found 'many'"},
      {"islands: {size: 2.5}", "2:17", "found '2.5'"},
      {"islands: {size: 0}", "2:17", "found '0'"},
      {"islands: {size: 70000}", "2:17", "found '70000'"},
      {"islands: {size: [4]}", "2:17", "found a list"},
      {"islands: 4", "2:10", "expected a map"},
      {"islands: {size: 4, size: 5}", "2:20", "stands here twice"},
      {"islands: {policies: [gredy]}\npolicies: {greedy: {}}", "2:21", "did you mean 'greedy'?"},
      {"islands: {count: 3, policies: [a, a], assign: list}\npolicies: {a: {}}", "2:31",
       "3 islands, 2 policies"},
      {"islands: {count: 4, size: 100, evaluations: 399}", "2:45", "399 evaluations are 0 generations"},
      {"run: {name: a/b}", "2:13", "it names a folder"},
      {"run: {seed: -1}", "2:13", "found '-1'"},
      {"migration: {topology: rng}", "2:23", "did you mean 'ring'?"},
      {"migration: {topology: edges}", "2:23", "expected a list"},
      {"migration: {topology: {edges: [[0, 1, 2]]}}", "2:32", "expected an edge [from, to], found 3 values"},
      {"migration: {topology: {edges: [[0, 5]]}}", "2:23", "names island 5, but there are 2 islands"},
      {"migration: {topology: {random_k: {degree: 0}}}", "2:43", "found '0'"},
      {"migration: {topology: {random_k: {}, edges: []}}", "2:23", "expected one topology"},
      {"migration: {mode: lagged}", "2:19", "'lagged' is not supported yet"},
      {"migration: {mode: synch}", "2:19", "did you mean 'sync'?"},
      {"migration: {elites: 101}\nislands: {size: 100}", "2:21", "cannot leave an island of 100"},
      {"migration: {enter: replace_best}", "2:20", "expected one of replace_worst"},
      {"store: {record: improved}", "2:17", "'improved' is not supported yet"},
      {"store: {budget: 5}", "2:17", "expected a size with a unit"},
      {"checkpoint: {every: 5}", "2:21", "expected 'N generations'"},
      {"checkpoint: {every: 0 generations}", "2:21", "N from 1 to"},
      {"checkpoint: {every: 9999999 generations}", "2:21", "N from 1 to"},
      {"policies: {a: {mutation: {rate: 2}}}", "2:33", "found '2'"},
      {"policies: {a: {mutaton: {rate: 1}}}", "2:16", "did you mean 'mutation'?"},
      {"policies: [a]", "2:11", "expected a map"},
      {"islands: {size: 4", "3:", "no valid YAML"},
  };
  for (const Wrong& wrong : mistakes) {
    const std::string message = error(minimal + wrong.text + "\n");
    EXPECT_THAT(message, StartsWith("run.yaml:" + wrong.place)) << wrong.text;
    EXPECT_THAT(message, HasSubstr(wrong.message)) << wrong.text;
  }
}

TEST_F(RunFileTest, FilesThatAreMissingAreRefused) {
  EXPECT_THAT(error("problem: {network: smal.yaml, accelerator: chip.yaml}"),
              HasSubstr("did you mean 'small.yaml'?"));
  EXPECT_THAT(error("problem: {network: smal.yaml, accelerator: chip.yaml}"),
              StartsWith("run.yaml:1:20: problem.network"));
  EXPECT_THAT(error("problem: {network: small.yaml}"), HasSubstr("problem.accelerator: the key is missing"));
  EXPECT_THAT(error("problem: {accelerator: chip.yaml}"), HasSubstr("problem.network: the key is missing"));
  EXPECT_THAT(error("problem: {space: sequential, network: small.yaml, accelerator: chip.yaml}"),
              HasSubstr("remove the key"));
  EXPECT_THAT(error(""), HasSubstr("empty"));
  EXPECT_THROW(read_run_file(folder_ + "/none.yaml"), InputError);
}

TEST_F(RunFileTest, SetLaysValuesOverTheFile) {
  const RunFile run = read(
      minimal + "islands: {size: 4}\npolicies: {a: {mutation: {rate: 0.5}}}\n",
      {"islands.size=9", "run.name=other", "policies.a.mutation.rate=0.25", "policies.b={random_search: {}}",
       "migration.topology={random_k: {degree: 3}}", "islands.policies=[b, a]", "islands.size=11"});
  EXPECT_EQ(run.islands.size, 11U) << "the last one counts";
  EXPECT_EQ(run.name, "other");
  ASSERT_EQ(run.policies.size(), 2U);
  EXPECT_EQ(run.policies[0].text, "{mutation: {rate: 0.25}}");
  EXPECT_EQ(run.policies[1].name, "b");
  EXPECT_EQ(run.migration.topology.degree, 3U);
}

TEST_F(RunFileTest, MistakesInSetNameSet) {
  EXPECT_THAT(error(minimal, {"islands.sise=4"}),
              StartsWith("--set: unknown key 'islands.sise'; did you mean 'islands.size'?"));
  EXPECT_THAT(error(minimal, {"islands=4"}), HasSubstr("is a section"));
  EXPECT_THAT(error(minimal, {"islands.size"}), HasSubstr("expected key=value"));
  EXPECT_THAT(error(minimal, {"=4"}), HasSubstr("expected key=value"));
  EXPECT_THAT(error(minimal, {"islands.size="}), StartsWith("--set islands.size"));
  EXPECT_THAT(error(minimal, {"islands.size=x"}), StartsWith("--set islands.size"));
  EXPECT_THAT(error(minimal, {"islands.size=[1"}), StartsWith("--set islands.size"));
  EXPECT_THAT(error(minimal, {"policies.a.mutation.rate=7"}), HasSubstr("--set policies.a.mutation.rate"));
}

TEST_F(RunFileTest, EvaluationsBecomeGenerations) {
  RunFile run = read(minimal + "islands: {count: 4, size: 50, evaluations: 10099}\n");
  settle_islands(run, 1);
  EXPECT_EQ(run.islands.generations, 50U);
  EXPECT_EQ(run.islands.evaluations, 0U);
}

TEST_F(RunFileTest, CheckpointsCountGenerationsOrSeconds) {
  const RunFile both = read(minimal + "checkpoint: {every: [30 generations, 2 min]}\n");
  EXPECT_EQ(both.checkpoint.every_generations, 30U);
  EXPECT_EQ(both.checkpoint.every_seconds, 120);
  const RunFile never = read(minimal + "checkpoint: {every: never}\n");
  EXPECT_EQ(never.checkpoint.every_generations, 0U);
  EXPECT_EQ(never.checkpoint.every_seconds, 0);
}

// Property: what is written is read again as the same, for every shipped run file and for random settings.
TEST_F(RunFileTest, TheConfigurationAsUsedReadsAsItself) {
  const auto check = [&](RunFile run) {
    settle_islands(run, 5);
    const std::string text = to_yaml(run);
    write_text_file_atomically(path(), text);
    RunFile again = read_run_file(path());
    settle_islands(again, 1);
    EXPECT_EQ(to_yaml(again), text);
  };
  const std::string source = ATOLL_SOURCE_DIR;
  for (const auto& entry : std::filesystem::directory_iterator(source + "/configs")) {
    if (entry.path().extension() == ".yaml") check(read_run_file(entry.path().string(), {}, {source}));
  }
  const std::vector<std::string> topologies = {"ring", "star", "{random_k: {degree: 4}}",
                                               "{edges: [[0, 1], [1, 0]]}"};
  const std::vector<std::string> intervals = {"3 generations", "0.1 s", "[7 generations, 90 s]", "never"};
  for (std::uint32_t i = 0; i < 50; ++i) {
    Random random({11, Purpose::test, 0, 0, 0, i});
    check(read(minimal, {"run.seed=" + std::to_string(random.next64() >> 1),
                         "islands.size=" + std::to_string(random.between(5, 60000)),
                         "migration.topology=" + topologies[random.below(4)],
                         "checkpoint.every=" + intervals[random.below(4)],
                         "migration.every=" + std::to_string(random.below(100)),
                         "problem.constraints=[\"energy <= 1e9\"]",
                         "policies.a={mutation: {rate: " + std::to_string(random.uniform()) + "}}"}));
  }
}

// Property: no key takes a value outside the range that its documentation states.
TEST_F(RunFileTest, EveryWholeNumberKeepsToItsDocumentedRange) {
  std::size_t tried = 0;
  for (const RunKey& key : run_keys()) {
    long long low = 0, high = 0;
    if (std::sscanf(key.type.c_str(), "whole number from %lld to %lld", &low, &high) != 2) continue;
    ++tried;
    for (const long long value : {low - 1, high + 1}) {
      EXPECT_THAT(error(minimal, {key.name + "=" + std::to_string(value)}), StartsWith("--set " + key.name))
          << value;
    }
    EXPECT_NO_THROW(read(minimal, {"islands.size=65535", key.name + "=" + std::to_string(high)})) << key.name;
  }
  EXPECT_GE(tried, 15U);
}

TEST(RunFileDescription, NamesEveryKeyOnceWithItsDocumentation) {
  const std::string text = describe_run_file();
  std::vector<std::string> names;
  for (const RunKey& key : run_keys()) {
    EXPECT_THAT(text, HasSubstr("\n" + key.name + "\n")) << key.name;
    EXPECT_GT(key.documentation.size(), 8U) << key.name;
    EXPECT_FALSE(key.type.empty()) << key.name;
    names.push_back(key.name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace atl
