import Testing

@testable import Transport

@Suite struct ServerAddressTests {
  @Test(arguments: [
    ("https://context.example", "https://context.example:443"),
    ("https://context.example/", "https://context.example:443"),
    ("HTTPS://Context.Example:8443", "https://context.example:8443"),
    ("https://192.0.2.7:1", "https://192.0.2.7:1"),
    ("https://[2001:db8::1]:65535", "https://[2001:db8::1]:65535"),
    ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
    ("http://127.0.0.1:7480", "http://127.0.0.1:7480"),
    ("http://127.255.0.9", "http://127.255.0.9:80"),
    ("http://[::1]:7480", "http://[::1]:7480"),
    ("http://[0:0:0:0:0:0:0:1]:7480", "http://[0:0:0:0:0:0:0:1]:7480"),
    ("http://localhost:7480", "http://localhost:7480"),
    ("http+unix:///run/higginsd/socket", "http+unix:///run/higginsd/socket"),
  ])
  func goodAddressesRead(_ text: String, _ url: String) throws {
    #expect(try ServerAddress(text).url == url)
  }

  @Test(arguments: [
    "", "context.example", "ftp://context.example", "https://", "https:///", "https://:80",
    "https://ann@context.example", "https://ann:pw@context.example", "https://context.example/a",
    "https://context.example?x", "https://context.example#x", "https://context.example:",
    "https://context.example:0", "https://context.example:65536", "https://context.example:+80",
    "https://context.example:８０", "https://[::1", "https://[::1]80", "https://[nonsense]",
    "https://::1", "https://exämple", "https://a b", "https://a\r\nhost:x", "https://a\0",
    "https://" + String(repeating: "a", count: 254), "http+unix://", "http+unix://run/socket",
    "http+unix:///a b", "https+unix:///run/socket",
    "http+unix:///" + String(repeating: "a", count: 107),
  ])
  func badAddressesAreRefused(_ text: String) {
    #expect(throws: TransportError.self) { try ServerAddress(text) }
  }

  @Test(arguments: [
    "192.0.2.7", "0.0.0.0", "10.0.0.1", "[2001:db8::1]", "[::]", "[::ffff:127.0.0.1]",
  ])
  func plaintextBeyondThisMachineIsRefused(_ host: String) {
    let bare = host.filter { !"[]".contains($0) }
    #expect(throws: TransportError.plaintextBeyondLoopback(host: bare)) {
      try ServerAddress("http://\(host):7480")
    }
  }

  @Test(arguments: [
    ("http://127.0.0.1:7480", ":7481/push", "http://127.0.0.1:7481", "/push"),
    ("https://context.example", ":7481/push", "https://context.example:7481", "/push"),
    ("https://[2001:db8::1]", ":7481", "https://[2001:db8::1]:7481", "/"),
    ("https://context.example", "wss://push.example/a/b", "https://push.example:443", "/a/b"),
    ("http://127.0.0.1:7480", "ws://localhost:1/push", "http://localhost:1", "/push"),
    ("http://127.0.0.1:7480", "wss://push.example", "https://push.example:443", "/"),
    ("http+unix:///run/socket", ":7481/push", "http://127.0.0.1:7481", "/push"),
  ])
  func pushAddressesRead(_ server: String, _ text: String, _ url: String, _ path: String) throws {
    let push = try PushAddress(text, attributes: try ServerAddress(server))
    #expect(push.server.url == url)
    #expect(push.path == path)
  }

  @Test(arguments: [
    "", "/push", "7481", ":", ":0/push", ":x/push", ":1/a b", ":1/\r\nx",
    "http://context.example/push",
    "ws://context.example/push", "ws://127.0.0.1:1/push", "wss://ann@push.example/", "wss:///push",
    ":1@evil.example/push",
  ])
  func badPushAddressesAreRefused(_ text: String) throws {
    let server = try ServerAddress("https://context.example")
    #expect(throws: TransportError.self) { try PushAddress(text, attributes: server) }
  }

  @Test func aNameThatIsNotLoopbackIsRefusedWhenItIsLookedUp() async throws {
    let local = try await LoopbackNames.addresses(of: try ServerAddress("http://localhost:5"))
    #expect(!local.isEmpty)
    #expect(local.allSatisfy { $0.isLoopbackLiteral && $0.port == 5 })
    // A number that the resolver takes for 0.0.0.1, and no literal to us.
    await #expect(throws: TransportError.plaintextBeyondLoopback(host: "1")) {
      try await LoopbackNames.addresses(of: try ServerAddress("http://1:5"))
    }
  }
}

@Suite struct BackoffTests {
  @Test func theSpanDoublesToAMinute() {
    var backoff = Backoff()
    let spans = (0..<10).map { _ in
      let span = backoff.span
      _ = backoff.next(random: 0)
      return span
    }
    #expect(
      spans == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60].map { Duration.seconds($0) })
    backoff.reset()
    #expect(backoff.span == .milliseconds(500))
  }

  @Test func theWaitIsAnyPartOfTheSpan() {
    var backoff = Backoff()
    #expect(backoff.next(random: 0) == .zero)
    #expect(backoff.next(random: 0.5) == .milliseconds(500))
    #expect(backoff.next(random: 0.25) == .milliseconds(500))
    #expect(backoff.failures == 3)
  }

  @Test func aSocketIsNoHost() throws {
    let address = try ServerAddress("http+unix:///run/user/1000/a-b.socket")
    #expect(address.socket == "/run/user/1000/a-b.socket" && !address.isSecure)
    #expect(address.base == "http+unix://%2Frun%2Fuser%2F1000%2Fa-b.socket")
    #expect(address.authority == "localhost" && address.literal == nil)
  }
}
