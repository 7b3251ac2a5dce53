#include "engine/reused_buffers.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <map>
#include <mutex>
#include <unordered_map>

namespace octet {
namespace {

constexpr size_t kLarge = 1 << 16;       ///< bytes; the C library reuses smaller buffers itself
constexpr size_t kMostKept = 256 << 20;  ///< bytes of buffers that are free

/// Outlives every tensor: it is never destroyed.
class BufferPool final : public c10::Allocator {
 public:
  static BufferPool& instance() {
    static auto* pool = new BufferPool;
    return *pool;
  }

  void begin() {
    const std::lock_guard lock(mutex_);
    if (users_++ > 0) return;
    usual_ = c10::GetCPUAllocator();
    c10::SetCPUAllocator(this);
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--users_ > 0) return;
    c10::SetCPUAllocator(usual_);
    for (const auto& [size, buffer] : free_) give_back(buffer);
    free_.clear();
    kept_ = 0;
  }

  c10::DataPtr allocate(size_t size) override {
    const c10::Device cpu(c10::DeviceType::CPU);
    if (size < kLarge) {
      void* const small = c10::alloc_cpu(size);
      return {small, small, &c10::free_cpu, cpu};
    }
    void* const buffer = take(size);
    return {buffer, buffer, &release, cpu};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t size) const override {
    default_copy_data(to, from, size);
  }

 private:
  /// The smallest free buffer that is large enough, unless it is far too large; of equal ones that
  /// which was used last.
  void* take(size_t size) {
    size = (size + kLarge - 1) / kLarge * kLarge;
    {
      const std::lock_guard lock(mutex_);
      const auto found = free_.lower_bound(size);
      if (found != free_.end() && found->first <= 2 * size) {
        void* const buffer = found->second;
        kept_ -= found->first;
        free_.erase(found);
        return buffer;
      }
    }
    void* const buffer = c10::alloc_cpu(size);
    const std::lock_guard lock(mutex_);
    sizes_[buffer] = size;
    return buffer;
  }

  static void release(void* buffer) { instance().put(buffer); }
  void put(void* buffer) {
    const std::lock_guard lock(mutex_);
    const auto size = sizes_.find(buffer);
    if (size == sizes_.end()) return c10::free_cpu(buffer);  // a small one
    if (users_ == 0 || kept_ + size->second > kMostKept) return give_back(buffer);
    kept_ += size->second;
    free_.emplace_hint(free_.lower_bound(size->second), size->second, buffer);
  }
  void give_back(void* buffer) {
    sizes_.erase(buffer);
    c10::free_cpu(buffer);
  }

  std::mutex mutex_;
  int users_ = 0;
  c10::Allocator* usual_ = nullptr;
  std::unordered_map<void*, size_t> sizes_;  ///< of all large buffers, in use or free
  std::multimap<size_t, void*> free_;
  size_t kept_ = 0;  ///< bytes of those that are free
};

}  // namespace

ReusedBuffers::ReusedBuffers() { BufferPool::instance().begin(); }
ReusedBuffers::~ReusedBuffers() { BufferPool::instance().end(); }

}  // namespace octet
