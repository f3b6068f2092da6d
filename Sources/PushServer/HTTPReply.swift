import Foundation
import NIOHTTP1
import Wire

/// A whole small HTTP answer.
struct HTTPReply {
  let status: HTTPResponseStatus
  let mediaType: String
  let body: [UInt8]
  var headers: [(name: String, value: String)] = []

  init(_ status: HTTPResponseStatus, text: String) {
    self.status = status
    mediaType = "text/plain; charset=utf-8"
    body = Array(text.utf8)
  }

  init(json: [UInt8]) {
    status = .ok
    mediaType = "application/json"
    body = json
  }

  init(_ problem: Problem) {
    status = HTTPResponseStatus(statusCode: problem.status)
    mediaType = Problem.mediaType
    do {
      body = Array(try JSONEncoder().encode(problem))
    } catch {
      // The status says the same.
      body = []
    }
  }

  /// A status that says all there is to say.
  init(status: Int) {
    self.status = HTTPResponseStatus(statusCode: status)
    mediaType = "text/plain; charset=utf-8"
    body = status == 204 ? [] : Array("\(self.status.reasonPhrase)\n".utf8)
  }

  init(mediaType: String, text: String) {
    status = .ok
    self.mediaType = mediaType
    body = Array(text.utf8)
  }

  /// The whole answer as it is sent.
  func bytes(keepAlive: Bool) -> [UInt8] {
    var text = "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n"
    func add(_ name: String, _ value: String) {
      text += name
      text += ": "
      text += value
      text += "\r\n"
    }
    if status != .noContent {
      add("content-type", mediaType)
      add("content-length", String(body.count))
    }
    for (name, value) in headers { add(name, value) }
    if !keepAlive { add("connection", "close") }
    text += "\r\n"
    return Array(text.utf8) + body
  }
}
