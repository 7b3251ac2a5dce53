#include <gtest/gtest.h>

#include "data/batch.h"
#include "data/dataset.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

DataSource text_of(const TempFolder& folder, std::string_view text, int64_t length,
                   int64_t classes = 128) {
  return {.format = "text",
          .images = folder.write("book.txt", text),
          .classes = classes,
          .length = length};
}

TEST(Text, IsSequencesAndTheBytesThatFollow) {
  const TempFolder folder;
  const auto text = open_dataset(text_of(folder, "abcdefgh", 3));
  EXPECT_EQ(text->size(), 2);  // "abc" before d, "def" before g
  EXPECT_EQ(text->shape(), Shape{3});
  BatchReader reader(*text, {1, 0}, {.size = 2});
  Batch batch;
  ASSERT_TRUE(reader.next(batch));
  EXPECT_EQ(batch.images, (std::vector<float>{'d', 'e', 'f', 'a', 'b', 'c'}));
  EXPECT_EQ(batch.labels, (std::vector<int64_t>{'g', 'd'}));
}

TEST(Text, RefusesWhatIsNoSequence) {
  const TempFolder folder;
  const auto message = [&](std::string_view text, int64_t length) {
    const DataSource source = text_of(folder, text, length);
    return folder.without(message_of([&] { open_dataset(source); }));
  };
  EXPECT_EQ(message("abc", 3),
            "book.txt: the text has 3 bytes; wanted 4 or more, one sequence and what follows");
  EXPECT_EQ(message("", 1),
            "book.txt: the text has 0 bytes; wanted 2 or more, one sequence and what follows");
  EXPECT_EQ(message("abc", 0),
            "book.txt: format 'text' needs 'length', the number of bytes of a sequence");
  EXPECT_EQ(message("ab\xc3\xa4", 2),
            "book.txt: byte 2 of the text is 195; wanted bytes from 0 to 127 (classes: 128)");
}

TEST(Text, IsNotMirrored) {
  const TempFolder folder;
  const auto text = open_dataset(text_of(folder, "abcdefgh", 3));
  EXPECT_EQ(message_of([&] { BatchReader(*text, {0}, {.augment = {.flip = true}}); }),
            "batch: 'flip' is for images; these are sequences of 3 tokens");
  EXPECT_EQ(message_of([&] { BatchReader(*text, {0}, {.augment = {.crop = 1}}); }),
            "batch: 'crop' is 1; images of 3 allow 0 to 0 pixels");
}

}  // namespace
}  // namespace octet
