// The way into a worker from other threads: tasks in order, run on the worker's thread. Outlives its worker where
// Replies still hold it; what is posted then is dropped with the last of them.
#pragma once

#include <pistache/mailbox.h>

#include <functional>

namespace gateway::server {

class Worker;

class Mailbox : private Pistache::PollableQueue<std::function<void(Worker&)>> {
 public:
  using Task = std::function<void(Worker&)>;
  using Base = Pistache::PollableQueue<Task>;

  using Base::bind;
  using Base::tag;

  void post(Task task) { Base::push(std::move(task)); }  // any thread

  // Worker only. PollableQueue's own pop() empties the eventfd after it looked: a push between the two would not wake
  // the worker. So the eventfd is emptied first (by drain), and the plain queue is looked at after it.
  void drain(Worker& worker) {
    eventfd_t count = 0;
    (void)eventfd_read(static_cast<int>(tag().value()), &count);
    while (auto task = popSafe()) (*task)(worker);
  }

 private:
  Entry* pop() override { return Pistache::Queue<Task>::pop(); }
};

}  // namespace gateway::server
