import Hummingbird
import Wire

/// Refuses programs that speak another version before anything of a request is read: half of what
/// they mean must not be taken for all of it.
///
/// What tells a program which versions are spoken is answered to all.
struct ProtocolMiddleware: RouterMiddleware {
  static let versions = ServerInfo.protocolVersion...ServerInfo.protocolVersion
  private static let name = HTTPFields.Element.Name(ServerInfo.protocolHeader)

  @concurrent func handle(
    _ request: Request, context: ServerRequestContext,
    next: @concurrent (Request, ServerRequestContext) async throws -> Response
  ) async throws -> Response {
    if request.uri.path != Route.info, let name = Self.name, let spoken = request.headers[name] {
      try Self.check(spoken)
    }
    return try await next(request, context)
  }

  private static func check(_ spoken: String) throws(Problem) {
    guard let version = Int(spoken) else {
      throw Problem(.malformed, detail: "\(ServerInfo.protocolHeader) is a number.")
    }
    guard !versions.contains(version) else { return }
    throw Problem(
      version < versions.lowerBound ? .protocolTooOld : .protocolTooNew,
      detail: "Protocol \(versions.lowerBound) to \(versions.upperBound) is spoken here.")
  }
}
