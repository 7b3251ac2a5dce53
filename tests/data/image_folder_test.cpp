#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "data/dataset.h"
#include "data/decode.h"
#include "image_files.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

namespace fs = std::filesystem;

DataSource source_in(const fs::path& root) {
  DataSource source;
  source.format = "folder";
  source.images = root;
  return source;
}

std::vector<float> image_of(const Dataset& dataset, int64_t index) {
  std::vector<float> out(static_cast<size_t>(element_count(dataset.shape())));
  dataset.image(index, out);
  return out;
}

void grey_png(const fs::path& path, uint32_t height, uint32_t width, uint8_t value) {
  fs::create_directories(path.parent_path());
  write_png(path, {.height = height,
                   .width = width,
                   .bytes = std::vector<uint8_t>(size_t{height} * width, value)});
}

TEST(ImageFolder, NumbersClassesAndImagesInTheOrderOfTheirNames) {
  const TempFolder folder;
  grey_png(folder / "dog/2.png", 2, 2, 51);
  grey_png(folder / "dog/10.PNG", 2, 2, 102);
  folder.write("cat/a.JPEG", jpeg_bytes(2, 2, {255}));
  folder.write("cat/notes.txt", "not an image");
  folder.write(".cache/b.png", "not looked at");
  folder.write("readme.png", "nor is this");
  const auto dataset = open_dataset(source_in(folder.path()));
  ASSERT_EQ(dataset->size(), 3);
  EXPECT_EQ(dataset->shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(dataset->label(0), 0);
  EXPECT_EQ(dataset->label(1), 1);
  EXPECT_EQ(dataset->name(1), (folder / "dog/10.PNG").string());
  EXPECT_EQ(image_of(*dataset, 0), std::vector<float>(12, 1.0f));
  EXPECT_EQ(image_of(*dataset, 1), std::vector<float>(12, 102.0f / 255.0f));
  EXPECT_EQ(image_of(*dataset, 2), std::vector<float>(12, 51.0f / 255.0f));
}

TEST(ImageFolder, ResizesToTheGivenSizeAndTurnsGrey) {
  const TempFolder folder;
  folder.write("a/1.jpg", jpeg_bytes(5, 7, {255, 255, 255}));
  grey_png(folder / "b/1.png", 3, 2, 51);
  DataSource source = source_in(folder.path());
  source.height = 4;
  source.width = 6;
  source.channels = 1;
  source.mean = {0.2f};
  const auto dataset = open_dataset(source);
  EXPECT_EQ(dataset->shape(), (Shape{1, 4, 6}));
  EXPECT_EQ(image_of(*dataset, 0), std::vector<float>(24, 1.0f - 0.2f));
  EXPECT_EQ(image_of(*dataset, 1), std::vector<float>(24, 0.0f));
}

TEST(ImageFolder, DecodesEveryKindOfPng) {
  struct Case {
    const char* name;
    PngImage image;
    int64_t channels;
    std::vector<uint8_t> wanted;
  };
  const Case cases[] = {
      {"grey", {1, 2, PNG_COLOR_TYPE_GRAY, 8, {7, 9}}, 1, {7, 9}},
      {"1 bit", {1, 2, PNG_COLOR_TYPE_GRAY, 1, {0x40}}, 1, {0, 255}},
      {"16 bits", {1, 2, PNG_COLOR_TYPE_GRAY, 16, {0xff, 0xff, 0x80, 0x80}}, 1, {255, 128}},
      {"grey and alpha", {1, 2, PNG_COLOR_TYPE_GRAY_ALPHA, 8, {7, 0, 9, 255}}, 1, {7, 9}},
      {"rgb", {1, 1, PNG_COLOR_TYPE_RGB, 8, {1, 2, 3}}, 3, {1, 2, 3}},
      {"rgb and alpha", {1, 1, PNG_COLOR_TYPE_RGB_ALPHA, 8, {1, 2, 3, 0}}, 3, {1, 2, 3}},
      {"palette",
       {1, 2, PNG_COLOR_TYPE_PALETTE, 8, {1, 0}, {{9, 8, 7}, {6, 5, 4}}},
       3,
       {6, 5, 4, 9, 8, 7}},
      {"interlaced",
       {2, 2, PNG_COLOR_TYPE_GRAY, 8, {1, 2, 3, 4}, {}, PNG_INTERLACE_ADAM7},
       1,
       {1, 2, 3, 4}},
  };
  for (const Case& row : cases) {
    const TempFolder folder;
    write_png(folder / "a.png", row.image);
    const Pixels pixels = decode_image(folder / "a.png");
    EXPECT_EQ(pixels.channels, row.channels) << row.name;
    EXPECT_EQ(pixels.bytes, row.wanted) << row.name;
  }
}

TEST(ImageFolder, ConvertsBetweenGreyAndColour) {
  EXPECT_EQ(with_channels({1, 2, 1, {5, 6}}, 3).bytes, (std::vector<uint8_t>{5, 5, 5, 6, 6, 6}));
  EXPECT_EQ(with_channels({1, 4, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}}, 1).bytes,
            (std::vector<uint8_t>{76, 150, 29, 255}));
}

TEST(ImageFolder, RefusesImagesThatCannotBeRead) {
  const TempFolder folder;
  const std::string jpeg = jpeg_bytes(64, 64, {10, 20, 30});
  write_png(folder / "good.png", {.height = 8, .width = 8, .bytes = std::vector<uint8_t>(64, 3)});
  std::string png;
  png.resize(fs::file_size(folder / "good.png"));
  std::ifstream(folder / "good.png").read(png.data(), static_cast<std::streamsize>(png.size()));
  std::string flipped = png;
  flipped[flipped.find("IEND") - 5] ^= 0x55;
  struct Case {
    const char* name;
    std::string bytes;
    const char* message;
  };
  const Case cases[] = {
      {"text", "hello", "image: the file is neither a JPEG nor a PNG image (5 bytes)"},
      {"empty", "", "image: the file is neither a JPEG nor a PNG image (0 bytes)"},
      {"cut jpeg", jpeg.substr(0, jpeg.size() - 20),
       "image: the JPEG image cannot be read: Premature end of JPEG file"},
      {"jpeg without end of header", jpeg.substr(0, 30),
       "image: the JPEG image cannot be read: Premature end of JPEG file"},
      {"cmyk", jpeg_bytes(8, 8, {1, 2, 3, 4}),
       "image: the JPEG image is CMYK; wanted RGB or grey: convert it"},
      {"cut png", png.substr(0, png.size() - 20),
       "image: the PNG image cannot be read: the file is truncated"},
      {"png with a flipped bit", flipped, "image: the PNG image cannot be read: IDAT: CRC error"},
  };
  for (const Case& row : cases) {
    folder.write("image", row.bytes);
    const Error error = error_of([&] { decode_image(folder / "image"); });
    EXPECT_EQ(error.code(), Code::Data) << row.name;
    EXPECT_EQ(folder.without(error.what()), row.message) << row.name;
  }
  EXPECT_EQ(folder.without(error_of([&] { decode_image(folder / "gone.png"); }).what()),
            "cannot read gone.png: No such file or directory");
}

TEST(ImageFolder, RefusesFoldersThatDoNotFit) {
  const TempFolder folder;
  DataSource source = source_in(folder / "root");
  const auto message = [&] {
    const Error error = error_of([&] { open_dataset(source); });
    EXPECT_EQ(error.code(), Code::Data);
    return folder.without(error.what());
  };
  EXPECT_EQ(message(), "cannot read the folder root: No such file or directory");
  fs::create_directories(folder / "root/cat");
  EXPECT_EQ(message(),
            "root: the data set is empty; wanted .jpg, .jpeg or .png files in one "
            "folder per class");
  grey_png(folder / "root/cat/1.png", 2, 3, 0);
  source.classes = 2;
  EXPECT_EQ(message(), "root holds 1 folders; wanted one for each of the 2 classes");
  source.classes = 1;
  source.channels = 2;
  EXPECT_EQ(message(), "root: 'channels' is 2; wanted 3 (RGB) or 1 (grey)");
  source.channels = 1;
  source.labels = folder / "labels";
  EXPECT_EQ(message(),
            "root: format 'folder' takes no 'labels' (given: labels): its classes are folders");
}

TEST(ImageFolder, RefusesImagesOfDifferentSizesWithoutOneToResizeTo) {
  const TempFolder folder;
  grey_png(folder / "a/1.png", 2, 3, 0);
  grey_png(folder / "a/2.png", 4, 3, 0);
  const auto dataset = open_dataset(source_in(folder.path()));
  const Error error = error_of([&] { image_of(*dataset, 1); });
  EXPECT_EQ(error.code(), Code::Data);
  EXPECT_EQ(folder.without(error.what()),
            "a/2.png has 4x3 pixels, but a/1.png has 2x3; give 'size' (HEIGHTxWIDTH) to resize all "
            "images");
}

TEST(ImageFolder, DecodesInSeveralThreadsAtOnce) {
  const TempFolder folder;
  for (int i = 0; i < 8; ++i) {
    grey_png(folder / ("a/" + std::to_string(i) + ".png"), 9, 9, static_cast<uint8_t>(i));
    folder.write("b/" + std::to_string(i) + ".jpg", jpeg_bytes(9, 9, {static_cast<uint8_t>(i)}));
  }
  const auto dataset = open_dataset(source_in(folder.path()));
  const auto read_all = [&] {
    for (int64_t i = 0; i < 16; ++i) {
      EXPECT_EQ(image_of(*dataset, i)[40], static_cast<float>(i % 8) / 255.0f);
    }
  };
  const std::jthread first(read_all);
  const std::jthread second(read_all);
}

}  // namespace
}  // namespace octet
