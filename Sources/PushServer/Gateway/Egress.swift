import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// The way out to gateways: HTTP/2 where the other side speaks it, to the address that was checked,
/// without following redirects.
actor Egress {
  struct Answer: Hashable, Sendable {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    /// The body, or nothing when it was longer than ``Egress/bodyBytes``.
    let body: [UInt8]
    let isHTTP2: Bool

    /// The body as JSON; nil when it is none, as the status says what must be known.
    func decoded<Body: Decodable>(_ type: Body.Type) -> Body? {
      do {
        return try JSONDecoder().decode(type, from: Data(body))
      } catch {
        return nil
      }
    }

    /// What the vendor asks to wait: seconds, or a date (RFC 9110, section 10.2.3).
    func retryAfter(now: Int64) -> Duration? {
      guard let text = headers["retry-after"] else { return nil }
      let limit: Int64 = 86_400
      if let seconds = Int64(text), seconds >= 0 { return .seconds(min(seconds, limit)) }
      let formatter = DateFormatter()
      formatter.locale = Locale(identifier: "en_US_POSIX")
      formatter.timeZone = TimeZone(identifier: "GMT")
      formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
      guard let date = formatter.date(from: text) else { return nil }
      return .seconds(min(max(0, Int64(date.timeIntervalSince1970) - now / 1000), limit))
    }
  }

  enum Failure: Error, Hashable, Sendable {
    /// Not asked: the endpoint is not allowed.
    case refused(String)
    /// No answer: nobody there, no TLS, too slow.
    case unreachable
  }

  /// Gateways answer with a short JSON object, or nothing.
  static let bodyBytes = 4096
  private static let wait = TimeAmount.seconds(10)
  /// Hosts that connections are kept to; the one unused longest goes first.
  private static let hostLimit = 64

  private struct Route: Hashable {
    let host: String
    let address: String
  }

  private let trustRoots: [NIOSSLCertificate]
  private var clients: [Route: (client: HTTPClient, used: UInt64)] = [:]
  private var clock: UInt64 = 0

  /// - Parameter trustRoots: Believed beside the system's.
  init(trustRoots: [NIOSSLCertificate] = []) {
    self.trustRoots = trustRoots
  }

  /// Posts to the target that `endpoints` lets through.
  ///
  /// Failures cross as values: see RFC 8030 for what the statuses mean.
  func post(
    _ url: String, _ headers: [(String, String)], _ body: [UInt8], through endpoints: EndpointGuard
  ) async -> Result<Answer, Failure> {
    let target: EndpointGuard.Target
    switch await endpoints.target(of: url) {
    case .success(let allowed): target = allowed
    case .failure(let refusal):
      return refusal.reason == "host does not resolve"
        ? .failure(.unreachable) : .failure(.refused(refusal.reason))
    }
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers = HTTPHeaders(headers)
    request.body = .bytes(body)
    let client = await client(for: target)
    do {
      let response = try await client.execute(request, timeout: Self.wait)
      var headers: [String: String] = [:]
      for (name, value) in response.headers { headers[name.lowercased()] = value }
      return .success(
        Answer(
          status: Int(response.status.code), headers: headers,
          body: await Self.read(response.body), isHTTP2: response.version == .http2))
    } catch {
      return .failure(.unreachable)
    }
  }

  private static func read(_ body: HTTPClientResponse.Body) async -> [UInt8] {
    do {
      return Array((try await body.collect(upTo: bodyBytes)).readableBytesView)
    } catch {
      // The status says enough.
      return []
    }
  }

  private func client(for target: EndpointGuard.Target) async -> HTTPClient {
    let route = Route(host: target.host, address: target.address)
    clock += 1
    if let known = clients[route] {
      clients[route] = (known.client, clock)
      return known.client
    }
    var tls = TLSConfiguration.makeClientConfiguration()
    if !trustRoots.isEmpty { tls.additionalTrustRoots = [.certificates(trustRoots)] }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(5), read: Self.wait), decompression: .disabled)
    configuration.dnsOverride = [target.host: target.address]
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    clients[route] = (client, clock)
    if clients.count > Self.hostLimit,
      let oldest = clients.min(by: { $0.value.used < $1.value.used })
    {
      clients[oldest.key] = nil
      await Self.close(oldest.value.client)
    }
    return client
  }

  /// Closes every connection; nothing may be sent after.
  func shutdown() async {
    let all = clients.values.map(\.client)
    clients = [:]
    for client in all { await Self.close(client) }
  }

  private static func close(_ client: HTTPClient) async {
    // Fails only when something is still being sent; that fails by itself then.
    do { try await client.shutdown() } catch {}
  }
}
