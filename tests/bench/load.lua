-- wrk's side of a measurement: the result as one JSON line, and with BENCH_CONTACTS=N requests over N contacts by Zipf (s = 1).
local contacts = tonumber(os.getenv("BENCH_CONTACTS") or "0")

if contacts > 0 then
  local requests, sums, total, position = {}, {}, 0, 0
  init = function()
    for rank = 1, contacts do
      total = total + 1 / rank
      sums[rank] = total
    end
    math.randomseed(7)
    for i = 1, 65536 do
      local wanted, low, high = math.random() * total, 1, contacts
      while low < high do
        local middle = math.floor((low + high) / 2)
        if sums[middle] < wanted then low = middle + 1 else high = middle end
      end
      requests[i] = wrk.format("GET", string.format("/contacts/contact%013d", low))
    end
  end
  request = function()
    position = position % 65536 + 1
    return requests[position]
  end
end

done = function(summary, latency)
  io.write(string.format(
    'bench-result: {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"p999":%d,' ..
    '"errors":{"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    summary.errors.status, summary.errors.connect, summary.errors.read, summary.errors.write, summary.errors.timeout))
end
