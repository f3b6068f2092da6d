public import Access
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
public import Wire

/// Reads who an Attribute Server elsewhere is and which keys it signs tokens with.
public enum PublishedKeys {
  private static let timeout = TimeAmount.seconds(5)
  /// A set of keys has a few hundred bytes, a page of revocations 45 KiB at the most.
  private static let limitBytes = 64 * 1024

  /// - Parameter url: `http://HOST:PORT` or `https://HOST`; the routes are appended.
  public static func read(from url: String) async throws -> RefreshingVerifier.Published {
    let info: ServerInfo = try await get(url + Route.info)
    let keys: KeySet = try await get(url + Route.keys)
    return RefreshingVerifier.Published(instance: info.instance, keys: keys)
  }

  /// What was revoked there after the entry of that number; for nil, all that is kept.
  public static func revocations(
    from url: String, after number: UInt64?, serviceKey: String
  ) async throws -> SignedRevocations {
    let query = number.map { "?after=\($0)" } ?? ""
    return try await get(url + Route.revocations + query, bearing: serviceKey)
  }

  private static func get<Body: Decodable>(
    _ url: String, bearing key: String? = nil
  ) async throws -> Body {
    var request = HTTPClientRequest(url: url)
    if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
    let response = try await HTTPClient.shared.execute(request, timeout: timeout)
    guard response.status == .ok else { throw SignalRefused(status: Int(response.status.code)) }
    let body = try await response.body.collect(upTo: limitBytes)
    return try JSONDecoder().decode(Body.self, from: Data(body.readableBytesView))
  }
}
