// The way into a worker from other threads: tasks in order, run on the worker's thread. Outlives its worker where
// Replies still hold it; what is posted then is dropped with the last of them.
#pragma once

#include <pistache/mailbox.h>

#include <atomic>
#include <functional>

namespace gateway::server {

class Worker;

class Mailbox : private Pistache::PollableQueue<std::function<void(Worker&)>> {
 public:
  using Task = std::function<void(Worker&)>;
  using Base = Pistache::PollableQueue<Task>;

  using Base::bind;
  using Base::tag;

  // Any thread. Many tasks that come together wake the worker once: who finds `woken_` set relies on a drain that has
  // not begun to look into the queue yet.
  // 1. a post puts its task into the queue, then sets `woken_`; 2. a drain takes `woken_` back, then looks into the
  // queue. All on `woken_` is read-modify-write: a post that found it set did so before the drain took it back, and the
  // drain, reading what that post wrote or later, sees its task.
  void post(Task task) {
    Plain::push(std::move(task));
    if (isBound() && !woken_.exchange(true, std::memory_order_acq_rel))
      (void)eventfd_write(static_cast<int>(tag().value()), 1);
  }

  // Worker only. PollableQueue's own pop() empties the eventfd after it looked: a push between the two would not wake
  // the worker. So the eventfd is emptied first, and the plain queue is looked at after it.
  void drain(Worker& worker) {
    eventfd_t count = 0;
    (void)eventfd_read(static_cast<int>(tag().value()), &count);
    woken_.exchange(false, std::memory_order_acq_rel);
    while (Entry* entry = Plain::pop()) {
      const Task task = std::move(entry->data());
      entry->data().~Task();
      delete entry;
      task(worker);
    }
  }

 private:
  using Plain = Pistache::Queue<Task>;
  Entry* pop() override { return Plain::pop(); }
  std::atomic<bool> woken_{false};
};

}  // namespace gateway::server
