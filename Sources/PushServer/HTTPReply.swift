import Foundation
import NIOCore
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
    let lines =
      ["HTTP/1.1 \(status.code) \(status.reasonPhrase)"]
      + fields(keepAlive: keepAlive).map { "\($0.name): \($0.value)" }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
  }

  private func fields(keepAlive: Bool) -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    if status != .noContent {
      fields += [("content-type", mediaType), ("content-length", String(body.count))]
    }
    fields += headers
    if !keepAlive { fields.append(("connection", "close")) }
    return fields
  }

  /// Writes the answer, and ends the connection after it unless it is kept alive.
  func write(to context: ChannelHandlerContext, keepAlive: Bool) {
    var head = HTTPResponseHead(version: .http1_1, status: status)
    for (name, value) in fields(keepAlive: keepAlive) { head.headers.add(name: name, value: value) }
    let channel = context.channel
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
    channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
    let done = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
    if !keepAlive { done.whenComplete { _ in channel.close(promise: nil) } }
  }
}
