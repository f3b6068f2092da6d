import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Wire

/// Turns every error into a problem document, and writes one line a request: method, path without
/// query or ids, status and code. No token, no address and no account stands in it.
struct ProblemMiddleware: RouterMiddleware {
  private static let paths: Set<String> = [
    Route.info, Route.accounts, Route.challenge, Route.token, Route.slot, Route.sync,
    Route.membership, Route.snapshots, Route.keys, Route.health,
  ]

  let logger: Logger
  var onRefusal: @Sendable (_ route: String, _ code: Problem.Code) -> Void = { _, _ in }

  @concurrent func handle(
    _ request: Request, context: ServerRequestContext,
    next: @concurrent (Request, ServerRequestContext) async throws -> Response
  ) async throws -> Response {
    do {
      let response = try await next(request, context)
      log(request, context: context, status: response.status.code, code: nil)
      return response
    } catch {
      let problem = self.problem(of: error, at: request.uri.path)
      onRefusal(Self.route(of: context), problem.code)
      log(request, context: context, status: problem.status, code: problem.code.rawValue)
      return try JSONAnswer(problem).response(from: request, context: context)
    }
  }

  func problem(of error: any Error, at path: String) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case let error as any HTTPResponseError where error.status == .notFound:
      return Problem(Self.paths.contains(path) ? .methodNotAllowed : .notFound)
    case let error as any HTTPResponseError where error.status.kind == .clientError:
      return Problem(error.status == .contentTooLarge ? .tooLarge : .malformed)
    case is HTTPParserError, is ChannelError, is CancellationError:
      // The caller hung up before its request was whole; nobody reads the answer.
      return Problem(.malformed)
    default:
      logger.error("A request failed", metadata: ["type": "\(type(of: error))"])
      return Problem(.internalFailure)
    }
  }

  private static func route(of context: ServerRequestContext) -> String {
    // Where no route matches, Hummingbird names something that is no path.
    guard let path = context.endpointPath, path.hasPrefix("/") else { return "none" }
    return path
  }

  private func log(_ request: Request, context: ServerRequestContext, status: Int, code: String?) {
    var metadata: Logger.Metadata = [
      "method": "\(request.method.rawValue)", "route": "\(Self.route(of: context))",
      "status": "\(status)",
    ]
    if let code { metadata["code"] = "\(code)" }
    logger.log(level: status >= 500 ? .warning : .debug, "Request", metadata: metadata)
  }
}
