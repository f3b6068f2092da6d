public import Access
import AsyncHTTPClient
import Foundation
import NIOCore
import Wire

/// Reads who an Attribute Server elsewhere is and which keys it signs tokens with.
public enum PublishedKeys {
  private static let timeout = TimeAmount.seconds(5)
  /// A set of keys has a few hundred bytes.
  private static let limitBytes = 64 * 1024

  /// - Parameter url: `http://HOST:PORT` or `https://HOST`; the routes are appended.
  public static func read(from url: String) async throws -> RefreshingVerifier.Published {
    let info: ServerInfo = try await get(url + Route.info)
    let keys: KeySet = try await get(url + Route.keys)
    return RefreshingVerifier.Published(instance: info.instance, keys: keys)
  }

  private static func get<Body: Decodable>(_ url: String) async throws -> Body {
    let response = try await HTTPClient.shared.execute(
      HTTPClientRequest(url: url), timeout: timeout)
    let body = try await response.body.collect(upTo: limitBytes)
    return try JSONDecoder().decode(Body.self, from: Data(body.readableBytesView))
  }
}
