import Foundation
import Hummingbird
import Logging
import NIOCore
import Wire

/// What goes with a request: where it came from.
struct ServerRequestContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Whom the limits by address count together: an IPv4 address cut to its /24, an IPv6 address to
  /// its /64. That is what one person may have.
  let source: String

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    self.source = Self.source(of: source.channel.remoteAddress)
  }

  static func source(of address: SocketAddress?) -> String {
    switch address {
    // `sockaddr_in`: family 2, port 2, then the address.
    case .v4(let address): withUnsafeBytes(of: address.address) { network(v4: $0[4..<8]) }
    // `sockaddr_in6`: family 2, port 2, flow 4, then the address.
    case .v6(let address): withUnsafeBytes(of: address.address) { network(v6: $0[8..<24]) }
    case .unixDomainSocket, nil: "local"
    }
  }

  private static func network(v4 address: Slice<UnsafeRawBufferPointer>) -> String {
    Hex.encode(address.prefix(3))
  }

  private static func network(v6 address: Slice<UnsafeRawBufferPointer>) -> String {
    // ::ffff:0:0/96, what a socket of both kinds calls IPv4.
    let isMapped = address.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
    return isMapped ? network(v4: address.suffix(4)) : Hex.encode(address.prefix(8))
  }
}

extension Request {
  /// The body as `Body`; one over `limitBytes` is not read to its end.
  func read<Body: Decodable>(
    _: Body.Type = Body.self, limitBytes: Int = Limits.requestBytes
  ) async throws -> Body {
    let bytes = try await readBytes(limitBytes: limitBytes)
    do {
      return try JSONDecoder().decode(Body.self, from: Data(bytes))
    } catch {
      throw Problem(.malformed, detail: "The body is not the JSON that belongs here.")
    }
  }

  /// The body as it is; one over `limitBytes` is not read to its end.
  func readBytes(limitBytes: Int) async throws -> [UInt8] {
    let tooLarge = Problem(.tooLarge, detail: "This body has at most \(limitBytes) bytes.")
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limitBytes {
      throw tooLarge
    }
    do {
      return Array(try await body.collect(upTo: limitBytes).readableBytesView)
    } catch is NIOTooManyBytesError {
      throw tooLarge
    }
  }
}

/// JSON with sorted keys.
struct JSONAnswer: ResponseGenerator {
  private let bytes: [UInt8]
  private let status: HTTPResponse.Status
  private let mediaType: String
  private let retryAfterSeconds: Int?

  init(_ body: some Encodable, status: HTTPResponse.Status = .ok) throws {
    bytes = try Self.encode(body)
    self.status = status
    mediaType = "application/json"
    retryAfterSeconds = nil
  }

  init(_ problem: Problem) throws {
    bytes = try Self.encode(problem)
    status = HTTPResponse.Status(code: problem.status)
    mediaType = Problem.mediaType
    retryAfterSeconds = problem.retryAfterSeconds
  }

  private static func encode(_ body: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(body))
  }

  func response(from request: Request, context: some RequestContext) -> Response {
    var headers = HTTPFields()
    headers[.contentType] = mediaType
    headers[.cacheControl] = "no-store"
    if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
