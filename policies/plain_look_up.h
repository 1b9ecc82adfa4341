// A lookup by plain commands, no transaction: others may act between any two of them (gateway/cache/redis_look_up.cc
// says which, in what order and why that is enough; tests/model takes them one by one). Told what each command
// answered, it says whether the entry may be served. Every doubt is a no: the script then decides. Single-threaded.
#pragma once

#include <optional>
#include <utility>

#include "policies/coherence.h"

namespace policies::coherence {

class PlainLookUp {
 public:
  // `made_here`: the epoch was made on the server that is asked now. `last_lease_ends`: none, all were given back.
  void epoch(Epoch epoch, bool made_here, std::optional<Milliseconds> last_lease_ends) {
    view_.epoch = epoch;
    last_lease_ends_ = last_lease_ends;
    doubt_ |= epoch == 0 || !made_here;
  }
  // For each surrogate key, in their order. 0: it has none. `marked`: it holds anything else.
  void key(Generation generation, bool marked) {
    view_.generations.push_back(generation);
    doubt_ |= generation == 0 || marked;
  }
  // What was fetched under `stamp` is there. True: nothing read so far speaks against it.
  bool entry(const Stamp& stamp) { return entry_ = !doubt_ && may_serve(stamp, view_); }
  // The server refused the write that changes nothing: it is no master any more.
  void write_refused() { doubt_ = true; }
  // At the end, by the server's clock (0: it told none): may the entry be served?
  bool may_serve_at(Milliseconds now) const {
    return entry_ && !doubt_ && now.count() != 0 && (!last_lease_ends_ || *last_lease_ends_ > now);
  }
  const View& view() const& { return view_; }
  View view() && { return std::move(view_); }
  bool doubtful() const { return doubt_; }
  void reserve(std::size_t keys) { view_.generations.reserve(keys); }
  template <typename Sink>
  void describe(Sink& sink) const {  // as Ledger's
    sink.id(view_.epoch), sink.number(view_.generations.size());
    for (auto generation : view_.generations) sink.id(generation);
    sink.number(doubt_), sink.number(entry_), sink.number(last_lease_ends_.has_value());
    if (last_lease_ends_) sink.until(*last_lease_ends_);
  }

 private:
  View view_;
  std::optional<Milliseconds> last_lease_ends_;
  bool doubt_ = false, entry_ = false;
};

}  // namespace policies::coherence
