#include <gtest/gtest.h>

#include <fstream>

#include "data/dataset.h"
#include "support/data_files.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

DataSource source_in(const TempFolder& folder) {
  DataSource source;
  source.format = "idx";
  source.images = folder / "images";
  source.labels = folder / "labels";
  source.classes = 3;
  return source;
}

std::vector<float> pixels_of(const Dataset& dataset, int64_t index) {
  std::vector<float> out(static_cast<size_t>(element_count(dataset.shape())));
  dataset.image(index, out);
  return out;
}

TEST(Idx, ReadsPlainAndGzippedAlike) {
  const TempFolder folder;
  const std::string images = idx_bytes({2, 2, 3}, counting(12));
  const std::string labels = idx_bytes({2}, counting(2, 1));
  folder.write("images", images);
  folder.write("labels", labels);
  DataSource source = source_in(folder);
  const auto plain = open_dataset(source);
  source.images = write_gzip(folder / "images.gz", images);
  source.labels = write_gzip(folder / "labels.gz", labels);
  const auto packed = open_dataset(source);
  for (const Dataset* dataset : {plain.get(), packed.get()}) {
    EXPECT_EQ(dataset->size(), 2);
    EXPECT_EQ(dataset->shape(), (Shape{1, 2, 3}));
    EXPECT_EQ(dataset->label(0), 1);
    EXPECT_EQ(dataset->label(1), 2);
    EXPECT_TRUE(dataset->name(1).ends_with(": image 1")) << dataset->name(1);
    const std::vector<float> image = pixels_of(*dataset, 1);
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(image[i], static_cast<float>(6 + i) / 255.0f);
  }
}

TEST(Idx, NormalizesEachChannelAndDeliversChannelsFirst) {
  const TempFolder folder;
  folder.write("images", idx_bytes({1, 1, 2, 3}, std::string("\0\x33\xff\xff\x33\0", 6)));
  folder.write("labels", idx_bytes({1}, counting(1)));
  DataSource source = source_in(folder);
  source.mean = {0.0f, 0.2f, 0.5f};
  source.deviation = {1.0f, 0.5f, 0.25f};
  const auto dataset = open_dataset(source);
  EXPECT_EQ(dataset->shape(), (Shape{3, 1, 2}));
  const std::vector<float> wanted = {0, 1, 0, 0, 2, -2};
  const std::vector<float> image = pixels_of(*dataset, 0);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(image[i], wanted[i], 1e-6) << i;
  EXPECT_FLOAT_EQ(dataset->black(1), -0.4f);
  EXPECT_FLOAT_EQ(dataset->black(2), -2.0f);
}

TEST(Idx, ResizesBilinearlyWithHalfPixelCentres) {
  const TempFolder folder;
  folder.write("images", idx_bytes({1, 1, 2}, std::string("\0\xff", 2)));
  folder.write("labels", idx_bytes({1}, counting(1)));
  DataSource source = source_in(folder);
  source.height = 2;
  source.width = 4;
  const auto dataset = open_dataset(source);
  EXPECT_EQ(dataset->shape(), (Shape{1, 2, 4}));
  EXPECT_EQ(pixels_of(*dataset, 0), (std::vector<float>{0, 0.25, 0.75, 1, 0, 0.25, 0.75, 1}));
}

struct RefusedIdx {
  const char* name;
  std::string images;
  std::string labels;
  const char* message;
};

TEST(Idx, RefusesFilesThatDoNotFit) {
  const std::string good = idx_bytes({2, 2, 2}, counting(8));
  const std::string labels = idx_bytes({2}, counting(2));
  const std::string huge = idx_bytes({4294967295u, 4294967295u, 4294967295u}, "");
  const RefusedIdx cases[] = {
      {"not idx", "GIF89a", labels,
       "images: this is not an IDX file (plain or gzipped): its first bytes are not those of one"},
      {"empty file", "", labels,
       "images: this is not an IDX file (plain or gzipped): its first bytes are not those of one"},
      {"floats", std::string("\0\0\x0d\x03", 4), labels,
       "images: the IDX elements are of type 0x0d; wanted 0x08 (unsigned bytes)"},
      {"cut in the header", good.substr(0, 9), labels,
       "images: the file is truncated: it ends in its header; fetch it again"},
      {"cut in the data", good.substr(0, 20), labels,
       "images: the file is truncated: it holds less than the 2x2x2 bytes that its header "
       "promises; fetch it again"},
      {"dimensions beyond 64 bits", huge, labels,
       "images: the file is truncated: it holds less than the 4294967295x4294967295 bytes that "
       "its header promises; fetch it again"},
      {"too long", good + "x", labels,
       "images: the file holds more than the 2x2x2 bytes that its header promises"},
      {"labels for images", labels, labels,
       "images: the IDX file has 1 dimensions (2); wanted images: 3 (number, height, width) or 4 "
       "(and channels)"},
      {"images for labels", good, good,
       "labels: the IDX file has 3 dimensions (2x2x2); wanted labels: 1"},
      {"empty", idx_bytes({0, 2, 2}, ""), idx_bytes({0}, ""),
       "images: the data set is empty (0x2x2)"},
      {"counts differ", good, idx_bytes({3}, counting(3)),
       "labels has 3 labels, but images has 2 images; they must belong together"},
      {"label too high", good, idx_bytes({2}, counting(2, 2)),
       "labels: image 1 has the label 3; wanted labels from 0 to 2 (classes: 3)"},
  };
  for (const RefusedIdx& row : cases) {
    const TempFolder folder;
    folder.write("images", row.images);
    folder.write("labels", row.labels);
    const Error error = error_of([&] { open_dataset(source_in(folder)); });
    EXPECT_EQ(error.code(), Code::Data) << row.name;
    EXPECT_EQ(folder.without(error.what()), row.message) << row.name;
  }
}

TEST(Idx, RefusesDamagedGzip) {
  const TempFolder folder;
  const std::string images = idx_bytes({2, 100, 100}, counting(20000));
  write_gzip(folder / "images", images);
  folder.write("labels", idx_bytes({2}, counting(2)));
  const auto size = std::filesystem::file_size(folder / "images");
  std::filesystem::resize_file(folder / "images", size / 2);
  const auto opened = [&] { open_dataset(source_in(folder)); };
  EXPECT_EQ(folder.without(error_of(opened).what()),
            "images: the file is truncated: it holds less than the 2x100x100 bytes that its header "
            "promises; fetch it again");
  write_gzip(folder / "images", images);
  std::fstream file(folder / "images", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size - 6));  // in the check sum
  file.write("??", 2);
  file.close();
  EXPECT_EQ(folder.without(error_of(opened).what()),
            "images: the gzip data are damaged; fetch it again");
  write_gzip(folder / "images", idx_bytes({60000, 1000, 1000}, "few"));
  EXPECT_EQ(folder.without(error_of(opened).what()),
            "images: the file is truncated: it holds less than the 60000x1000x1000 bytes that its "
            "header promises; fetch it again");
}

TEST(Idx, RefusesMissingFilesAndSettingsThatDoNotFit) {
  const TempFolder folder;
  DataSource source = source_in(folder);
  const auto message = [&] {
    return folder.without(error_of([&] { open_dataset(source); }).what());
  };
  EXPECT_EQ(message(), "cannot read images: No such file or directory");
  folder.write("images", idx_bytes({1, 1, 1}, "x"));
  EXPECT_EQ(message(), "cannot read labels: No such file or directory");
  source.labels.clear();
  EXPECT_EQ(message(), "images: format 'idx' needs 'labels', the path of the label file");
  source.labels = folder.write("labels", idx_bytes({1}, counting(1)));
  source.mean = {0.5f, 0.5f};
  EXPECT_EQ(message(),
            "images: the images have 1 channels, but 'mean' has 2 values; give one for each");
  source.mean = {0.5f};
  source.deviation = {0};
  EXPECT_EQ(message(),
            "images: channel 0 has mean 0.5 and deviation 0; wanted numbers, and a "
            "deviation that is not 0");
  source.format = "hdf5";
  EXPECT_EQ(message(), "images: unknown data format 'hdf5'; known are idx, folder, text");
  source.format = "idx";
  source.images = folder.path();
  EXPECT_EQ(error_of([&] { open_dataset(source); }).what(),
            "cannot read " + folder.path().string() + ": not a file");
}

TEST(Idx, ReportsAFileThatShrinksWhileItIsUsed) {
  const TempFolder folder;
  folder.write("images", idx_bytes({2, 2, 2}, counting(8)));
  folder.write("labels", idx_bytes({2}, counting(2)));
  const auto dataset = open_dataset(source_in(folder));
  std::filesystem::resize_file(folder / "images", 20);
  const Error error = error_of([&] { pixels_of(*dataset, 1); });
  EXPECT_EQ(error.code(), Code::Data);
  EXPECT_EQ(folder.without(error.what()), "cannot read images: bytes 20 to 23 are no longer there");
}

}  // namespace
}  // namespace octet
