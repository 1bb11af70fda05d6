#include "atoll/island/bytes.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(Bytes, ComeBackInOrder) {
  ByteWriter out;
  const std::vector<double> numbers{1.5, -2, 1e300};
  out.value(std::uint32_t{7});
  out.items(std::span<const double>(numbers));
  out.text("with \0 inside");
  out.bytes(std::vector<std::uint8_t>{});
  out.value(true);
  const auto bytes = out.take();
  ByteReader in(bytes);
  EXPECT_EQ(in.value<std::uint32_t>(), 7U);
  std::vector<double> back(3);
  in.items(std::span(back));
  EXPECT_EQ(back, numbers);
  EXPECT_EQ(in.text(), std::string("with \0 inside"));
  EXPECT_TRUE(in.bytes().empty());
  EXPECT_FALSE(in.at_end());
  EXPECT_TRUE(in.value<bool>());
  EXPECT_TRUE(in.at_end());
}

TEST(Bytes, NothingIsReadBeyondTheEnd) {
  ByteWriter out;
  out.text("four");
  const auto bytes = out.take();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::span<const std::uint8_t>{bytes}.first(size));
    EXPECT_THROW(in.text(), InternalError);
  }
  const std::vector<std::uint8_t> huge(8, 255);
  ByteReader in(std::span<const std::uint8_t>{huge});
  EXPECT_THROW(in.block(), InternalError);
}

}  // namespace
}  // namespace atl
