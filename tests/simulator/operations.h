// The operations by theme; each is called by run() of world.h with a validated body.
#pragma once

#include "tests/simulator/world.h"

namespace simulator {

Answer create_contact(Context& context);
Answer get_contact(Context& context, Record& record);
Answer update_contact(Context& context, Record& record);
Answer delete_contact(Context& context, Record& record);
Answer upsert_contact(Context& context);
Answer get_duplicate(Context& context);

// Tasks, notes and appointments of one contact.
Answer run_task(Context& context, Record& record);
Answer run_note(Context& context, Record& record);
Answer get_appointments(Context& context, Record& record);

// Tags, followers, campaigns and workflows of one contact.
Answer run_membership(Context& context, Record& record);
Answer bulk_tags(Context& context);
Answer bulk_business(Context& context);

Answer get_contacts(Context& context);
Answer get_by_business(Context& context);
Answer search_contacts(Context& context);

// Whether the call's token may see `location`.
bool may_see(const Context& context, const std::string& location);
// Stores a changed copy of the record's contact, with a new dateUpdated.
void store_changed(Context& context, Contact changed);

}  // namespace simulator
