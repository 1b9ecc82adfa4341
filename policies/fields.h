// HTTP field lines as every layer passes them (RFC 9110 section 5): in the order received, repeated names kept,
// names compared without case. `Fields` owns, `FieldsView` borrows; neither checks syntax, the edge does.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace policies {

struct FieldView {
  std::string_view name;
  std::string_view value;
};
using FieldsView = std::span<const FieldView>;

struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

// ASCII case-insensitive equality, as field names compare. The sizes differ nearly always.
bool same_letters(std::string_view a, std::string_view b);  // of one size
inline bool same_name(std::string_view a, std::string_view b) { return a.size() == b.size() && same_letters(a, b); }

// The first value of `name`; nothing where it is absent.
std::optional<std::string_view> find_field(FieldsView fields, std::string_view name);

// All values of `name` joined by ", " (RFC 9110 section 5.3); nothing where it is absent.
std::optional<std::string> combined_field(FieldsView fields, std::string_view name);

class Fields {
 public:
  Fields() = default;
  Fields(std::initializer_list<Field> fields) : fields_(fields) {}
  explicit Fields(FieldsView fields);

  void add(std::string name, std::string value) {
    if (fields_.capacity() == 0) fields_.reserve(kUsual);
    fields_.push_back({std::move(name), std::move(value)});
  }
  void set(std::string_view name, std::string value);  // replaces every line of that name with one
  void remove(std::string_view name);
  std::optional<std::string_view> find(std::string_view name) const;
  std::vector<FieldView> view() const;  // valid while this object is unchanged

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  bool operator==(const Fields&) const = default;

 private:
  static constexpr std::size_t kUsual = 12;  // nearly all messages have no more
  std::vector<Field> fields_;
};

}  // namespace policies
