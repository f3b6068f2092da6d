import Access
import Crypto
import Foundation
import Hummingbird
import Wire

/// The feed of revocations, for the Push Service that reads it.
extension AttributeController {
  func revocations(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    try checkServiceKey(of: request)
    var after: UInt64?
    if let text = request.uri.queryParameters["after"] {
      guard let number = UInt64(text) else {
        throw Problem(.malformed, detail: "`after` is the number of an entry.")
      }
      after = number
    }
    let page = try await database.revocations(
      after: after, limit: SignalOutbox.revocationBatch, now: arguments.clock.now())
    do {
      return try JSONAnswer(try await authentication.issuer.sign(page))
    } catch {
      throw Problem(.internalFailure)
    }
  }

  /// The key that both servers share, compared by digests: those take the same time always.
  private func checkServiceKey(of request: Request) throws(Problem) {
    guard let key = arguments.signals?.serviceKey, let given = request.headers[.authorization]
    else { throw Problem(.authenticationFailed) }
    let (mine, theirs) = (Array("Bearer \(key)".utf8), Array(given.utf8))
    let difference = zip(SHA256.hash(data: mine), SHA256.hash(data: theirs))
      .reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) }
    guard difference == 0 else { throw Problem(.authenticationFailed) }
  }
}
