-- wrk script: every request places a new order with its own Idempotency-Key
-- and cl_ord_id. It works against each service of this folder and against oms:
-- quantity and price differ from order to order, or oms would refuse duplicates.
--
-- Environment: API_KEY (required); SYMBOL, SIDE, CENTS (the highest price;
-- optional).

local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("thread_number", threads)
end

local function need(name)
   local value = os.getenv(name)
   if value == nil or value == "" then
      io.stderr:write("post.lua: set " .. name .. "\n")
      os.exit(2)
   end
   return value
end

local made = 0
local format = string.format
local head, middle, tail_format, prefix, cents, offset

function init(_)
   -- Every id has the same width, so the length of the request is constant
   -- and only the ids are formatted per request.
   offset = os.time() * 9
   prefix = format("%08x-%02d", os.time(), thread_number) .. "-%09d"
   local id_width = 8 + 1 + 2 + 1 + 9
   local front = format(
      '{"symbol":"%s","side":"%s","ord_type":"LIMIT","time_in_force":"DAY","cl_ord_id":"',
      os.getenv("SYMBOL") or "BAC", os.getenv("SIDE") or "BUY")
   cents = tonumber(os.getenv("CENTS") or "1350")
   tail_format = '","order_qty":"%03d","price":"%d.%02d"}'
   local tail = format(tail_format, 100, math.floor(cents / 100), 0)
   head = format("POST /api/v1/orders HTTP/1.1\r\nHost: %s:%s\r\n", wrk.host, wrk.port)
      .. "Content-Type: application/json\r\n"
      .. format("X-API-Key: %s\r\n", need("API_KEY"))
      .. format("Content-Length: %d\r\n", #front + id_width + #tail)
      .. "Idempotency-Key: "
   middle = "\r\n\r\n" .. front
end

function request()
   made = made + 1
   local id = format(prefix, made)
   -- 900 quantities, then the next of 100 prices below.
   local price = cents - math.floor(made / 900 + offset) % 100
   local tail = format(tail_format, 100 + made % 900, math.floor(price / 100), price % 100)
   return head .. id .. middle .. id .. tail
end

-- One line of JSON, so that a script can read the result. Latencies are those
-- of a closed loop, in microseconds, not corrected for coordinated omission.
function done(summary, latency, _)
   local errors = summary.errors
   local seconds = summary.duration / 1e6
   io.write(format(
      '{"requests":%d,"seconds":%.2f,"per_second":%.1f,"p50_us":%d,"p99_us":%d,"p999_us":%d,'
         .. '"max_us":%d,"refused":%d,"socket_errors":%d}\n',
      summary.requests, seconds, summary.requests / seconds,
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
