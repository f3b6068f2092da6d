import Testing

@testable import PushServer

@Suite struct RequestReaderTests {
  private func read(_ text: String, cut: Int? = nil) -> RequestReader.Outcome {
    var reader = RequestReader(limitBytes: 10)
    let bytes = Array(text.utf8)
    var outcome = RequestReader.Outcome.more
    for start in stride(from: 0, to: bytes.count, by: cut ?? bytes.count) {
      outcome = reader.read(bytes[start..<min(start + (cut ?? bytes.count), bytes.count)])
    }
    return outcome
  }

  private static let host = "Host: push.example\r\n"

  @Test func aRequestIsReadHoweverItIsCut() {
    let text = "POST /push?x=1 HTTP/1.1\r\n\(Self.host)Content-Length: 3\r\nX:\t a b \r\n\r\nabc"
    for cut in [1, 2, 5, 1000] {
      guard case .request(let request) = read(text, cut: cut) else {
        Issue.record("not read, cut every \(cut)")
        continue
      }
      #expect(request.method == "POST" && request.path == "/push" && request.isKeptAlive)
      #expect(request.value("x") == "a b")
      #expect(request.body == Array("abc".utf8))
    }
  }

  static let refused: [(String, Int)] = [
    ("GET /\r\n\r\n", 400),
    ("GET  / HTTP/1.1\r\n\(host)\r\n", 400),
    ("GET push HTTP/1.1\r\n\(host)\r\n", 400),
    ("GET / HTTP/2.0\r\n\(host)\r\n", 505),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)\(host)\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X : a\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\r\n folded\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: \u{1}\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\nY: b\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n", 411),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 11\r\n\r\n", 413),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: +1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 9000) + "\r\n\r\n", 431),
    (String(repeating: "a", count: 9000), 431),
  ]

  @Test(arguments: refused)
  func whatIsNoRequestIsRefused(text: String, status: Int) {
    #expect(read(text) == .refused(status))
    #expect(read(text, cut: 3) == .refused(status))
  }

  @Test func whatComesAfterARequestIsKept() {
    var reader = RequestReader(limitBytes: 10)
    let text = "GET / HTTP/1.1\r\n\(Self.host)Connection: keep-alive, Close\r\n\r\nmore"
    guard case .request(let request) = reader.read(Array(text.utf8)) else {
      Issue.record("not read")
      return
    }
    #expect(!request.isKeptAlive)
    #expect(reader.takeRest() == Array("more".utf8))
  }
}
