// Every file of the fuzzers' corpus, and thousands of deterministic mutations of it, through every reader.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "../fuzz/targets.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/random.hpp"

namespace atl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> corpus(std::string_view target) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(ATOLL_TEST_DATA) / "fuzz" / target))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const fs::path& path : paths) texts.push_back(read_text_file(path.string()));
  return texts;
}

// What breaks readers: numbers at the edges of their types, brackets, and names that no list has.
constexpr std::string_view tokens[] = {
    "-1",    "0",      "1",   "2147483648", "4294967296", "9223372036854775808",
    "1e308", "1e-320", "nan", "inf",        "null",       "true",
    "[",     "]",      "{",   "}",          ":",          ",",
    "\"",    "'",      "\n",  "  ",         "- ",         "&a ",
    "*a",    "!!",     "[]",  "{}",         "\xff",       "\0x"};

std::string mutated(std::string text, const std::vector<std::string>& all, Random& random) {
  const std::uint32_t changes = 1 + random.below(4);
  for (std::uint32_t i = 0; i < changes; ++i) {
    const auto size = static_cast<std::uint32_t>(text.size());
    const std::uint32_t at = random.below(size + 1);
    const std::uint32_t length = std::min(size - at, random.below(1 + std::min<std::uint32_t>(size, 24)));
    switch (random.below(7)) {
      case 0:
        if (at < size) text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.replace(at, length, tokens[random.below(std::size(tokens))]);
        break;
      case 4:
        text.resize(at);
        break;
      case 5: {
        const std::string& other = all[random.below(static_cast<std::uint32_t>(all.size()))];
        text.insert(at, other.substr(random.below(static_cast<std::uint32_t>(other.size()) + 1), 40));
        break;
      }
      default: {
        // A number becomes another one.
        const std::size_t digit = text.find_first_of("0123456789", at);
        if (digit == std::string::npos) break;
        const std::size_t end = text.find_first_not_of("0123456789", digit);
        text.replace(digit, (end == std::string::npos ? text.size() : end) - digit,
                     tokens[random.below(std::size(tokens))]);
      }
    }
  }
  return text;
}

class FuzzCorpus : public ::testing::TestWithParam<fuzz::Target> {};

TEST_P(FuzzCorpus, OnlyTheUsersErrorsComeOut) {
  const fuzz::Target& target = GetParam();
  const std::vector<std::string> texts = corpus(target.name);
  ASSERT_FALSE(texts.empty());
  const int mutations = target.name == "network_onnx" || target.name.ends_with("_rows") ? 300 : 1500;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    EXPECT_NO_THROW(fuzz::run(target, texts[t])) << "file " << t;
    Random random({.seed = 5, .purpose = Purpose::test, .individual = static_cast<std::uint32_t>(t)});
    for (int i = 0; i < mutations; ++i) {
      const std::string text = mutated(texts[t], texts, random);
      try {
        fuzz::run(target, text);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what() << "\nmutation " << i << " of file " << t << ":\n"
                      << text.substr(0, 4000);
        return;
      }
    }
  }
}

// A corpus that a reader refuses as a whole would test its first line alone.
TEST_P(FuzzCorpus, HoldsInputThatIsGood) {
  const fuzz::Target& target = GetParam();
  const std::vector<std::string> texts = corpus(target.name);
  EXPECT_TRUE(std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
    try {
      target.read(text);
      return true;
    } catch (const InputError&) {
      return false;
    }
  }));
}

INSTANTIATE_TEST_SUITE_P(Readers, FuzzCorpus, ::testing::ValuesIn(fuzz::targets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace atl
