//! Requests that ask no venue: what screens read, and changes that are durable before they are answered.

use super::order::Orders;
use std::io::Write as _;

/// What is read, in turn.
const READS: [&str; 7] = [
    "/orders?limit=50",
    "/positions?limit=100",
    "/risk/status",
    "/orders?is_root=true&symbol=BAC&limit=20&fields=order_id,state,price,leaves_qty",
    "/executions?limit=50",
    "/accounts",
    "/risk/limits",
];

/// See the module.
pub struct Mixed {
    /// The headers of every request.
    headers: String,
}

impl Mixed {
    /// For this host, with this key.
    #[must_use]
    pub fn new(host: &str, key: &str) -> Self {
        Self { headers: format!("Host: {host}\r\nX-API-Key: {key}\r\n") }
    }

    /// Writes the `n`th request: seven reads in ten, two changes of limits, one preview of an order.
    pub fn write(&self, orders: &Orders, n: u64, body: &mut Vec<u8>, out: &mut Vec<u8>) {
        let turn = usize::try_from(n % 10).unwrap_or_default();
        if let Some(path) = READS.get(turn) {
            // Writing to memory does not fail.
            let _written = write!(out, "GET /api/v1{path} HTTP/1.1\r\n{}\r\n", self.headers);
            return;
        }
        body.clear();
        let line = if turn == 9 {
            orders.body(n, body);
            "POST /api/v1/orders/preview"
        } else {
            // A limit of a scope that nobody trades in: it is durable, and refuses nothing.
            let _written =
                write!(body, "{{\"limit_type\":\"MAX_ORDER_QTY\",\"scope\":\"STRATEGY:load-{}\",\"value\":\"{}\"}}", n % 8, 1_000_000 + n);
            "PUT /api/v1/risk/limits"
        };
        let _written = write!(out, "{line} HTTP/1.1\r\n{}Content-Type: application/json\r\n", self.headers);
        if turn != 9 {
            out.extend_from_slice(b"Idempotency-Key: ");
            orders.id(n, out);
            out.extend_from_slice(b"\r\n");
        }
        let _written = write!(out, "Content-Length: {}\r\n\r\n", body.len());
        out.extend_from_slice(body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_requests_seven_read_and_three_carry_a_document() {
        let (mixed, orders) = (Mixed::new("desk:80", "k"), Orders::new(Vec::new(), 0, 7));
        let request = |n| {
            let (mut body, mut out) = (Vec::new(), Vec::new());
            mixed.write(&orders, n, &mut body, &mut out);
            String::from_utf8(out).unwrap()
        };
        let all: Vec<String> = (0..10).map(request).collect();
        assert_eq!(all.iter().filter(|text| text.starts_with("GET /api/v1/")).count(), 7);
        assert!(all[..7].iter().all(|text| text.ends_with("X-API-Key: k\r\n\r\n")));
        assert!(all[7].contains("Idempotency-Key: L0000000000000007-7\r\nContent-Length: "), "{}", all[7]);
        let (head, body) = all[8].split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())) && body.contains("\"value\":\"1000008\""), "{body}");
        assert!(all[9].starts_with("POST /api/v1/orders/preview HTTP/1.1\r\n") && request(17) != all[7]);
    }
}
