import Logging
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import AttributeServer

/// Callers that go away in the middle of a request.
@Suite struct HangUpTests {
  @Test(arguments: [
    HTTPParserError.invalidEOFState as any Error, ChannelError.inputClosed, CancellationError(),
  ])
  func aCallerThatHangsUpIsNoFailureOfTheServer(error: any Error) {
    let middleware = ProblemMiddleware(logger: Logger(label: "test"))
    #expect(middleware.problem(of: error, at: Route.sync).code == .malformed)
  }
}
