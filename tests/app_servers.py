"""Stand-ins for apps that do not run here. Each checks every message that it gets against the published protocol.

VTube Studio: github.com/DenchiSoft/VTubeStudio, README.md, API 1.0. OBS: github.com/obsproject/obs-websocket,
docs/generated/protocol.md, version 5.
"""

import base64
import hashlib
import json
import threading
from contextlib import suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

VTS_DEFAULTS = ("FacePositionX", "FaceAngleX", "MouthSmile", "MouthOpen", "VoiceVolume")


class AppServer:
    """A WebSocket server in a thread; ``problems`` lists what a client did wrong."""

    subprotocols = None

    def __init__(self, port=0):
        self.problems, self.connections = [], []
        self.server = serve(self._handle, "127.0.0.1", port, subprotocols=self.subprotocols)
        self.port = self.server.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        for connection in self.connections:
            connection.close()
        self.thread.join()

    def _handle(self, connection):
        self.connections.append(connection)
        with suppress(ConnectionClosed):
            self.talk(connection)

    def check(self, true, problem):
        if not true:
            self.problems.append(problem)

    def talk(self, connection):
        raise NotImplementedError


class VTubeStudioServer(AppServer):
    """VTube Studio's plugin API: token, authentication, parameters."""

    def __init__(self, port=0, allow=True, token="adcd-123-ef09", wait=None):
        self.allow, self.token, self.wait = allow, token, wait
        self.asked, self.parameters, self.values, self.times = 0, {}, [], []
        super().__init__(port)

    def talk(self, connection):
        session = {"authenticated": False}
        for text in connection:
            request = json.loads(text)
            self._check_request(request)
            kind, data = request["messageType"], request.get("data", {})
            answer = getattr(self, f"on_{kind}", self.on_unknown)(data, session)
            error = answer.pop("errorID", None)
            message = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "timestamp": 1625405710728,
                       "requestID": request["requestID"],
                       "messageType": "APIError" if error else kind.replace("Request", "Response"),
                       "data": {"errorID": error} | answer if error else answer}  # fmt: skip
            connection.send(json.dumps(message))

    def _check_request(self, request):
        self.check(request.get("apiName") == "VTubeStudioPublicAPI", "apiName")
        self.check(request.get("apiVersion") == "1.0", "apiVersion")
        number = request.get("requestID", "")
        self.check(isinstance(number, str) and 1 <= len(number) <= 64 and number.isascii(), "requestID")
        self.check(set(request) <= {"apiName", "apiVersion", "requestID", "messageType", "data"}, "unknown fields")

    def _check_plugin(self, data):
        for name in ("pluginName", "pluginDeveloper"):
            self.check(3 <= len(data.get(name, "")) <= 32, name)

    def on_AuthenticationTokenRequest(self, data, _session):
        self._check_plugin(data)
        self.asked += 1
        if self.wait:
            self.wait.wait(10)
        if not self.allow:
            return {"errorID": 50, "message": "User has denied API access for your plugin."}
        return {"authenticationToken": self.token}

    def on_AuthenticationRequest(self, data, session):
        self._check_plugin(data)
        session["authenticated"] = data["authenticationToken"] == self.token
        return {"authenticated": session["authenticated"], "reason": "..."}

    def on_InputParameterListRequest(self, _data, session):
        if not session["authenticated"]:
            return self.unauthenticated()
        custom = [{"name": name} for name in self.parameters]
        return {"modelLoaded": False, "customParameters": custom, "defaultParameters": [
            {"name": name, "addedBy": "VTube Studio", "value": 0, "min": 0, "max": 1, "defaultValue": 0}
            for name in VTS_DEFAULTS]}  # fmt: skip

    def on_ParameterCreationRequest(self, data, session):
        if not session["authenticated"]:
            return self.unauthenticated()
        name = data["parameterName"]
        self.check(name.isalnum() and 4 <= len(name) <= 32, "parameterName")
        self.check(len(data.get("explanation", "")) < 256, "explanation")
        self.check(all(-1e6 <= data[key] <= 1e6 for key in ("min", "max", "defaultValue")), "range")
        if name in VTS_DEFAULTS:
            return {"errorID": 352, "message": "Parameter name is already used by a default parameter."}
        self.parameters[name] = data
        return {"parameterName": name}

    def on_InjectParameterDataRequest(self, data, session):
        import time

        if not session["authenticated"]:
            return self.unauthenticated()
        self.check(data.get("mode") in (None, "set", "add"), "mode")
        self.check(set(data) <= {"faceFound", "mode", "parameterValues"}, "unknown fields")
        for parameter in data["parameterValues"]:
            if parameter["id"] not in (*self.parameters, *VTS_DEFAULTS):
                return {"errorID": 450, "message": f"Parameter {parameter['id']} does not exist."}
            self.check(-1e6 <= parameter["value"] <= 1e6, "value")
            self.values.append((parameter["id"], parameter["value"]))
            self.times.append(time.monotonic())
        return {}

    def unauthenticated(self):
        return {"errorID": 8, "message": "This session is not authenticated."}

    def on_unknown(self, _data, _session):
        self.problems.append("messageType")
        return {"errorID": 7, "message": "Unknown request."}


class ObsServer(AppServer):
    """obs-websocket 5: hello, identify, scenes and sources."""

    subprotocols = ["obswebsocket.json"]  # noqa: RUF012

    def __init__(self, port=0, password=None):
        self.password, self.scene, self.shown, self.requests = password, "Quiet", {7: True}, []
        super().__init__(port)

    def talk(self, connection):
        self.check(connection.subprotocol == "obswebsocket.json", "subprotocol")
        challenge = {"challenge": "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY=",
                     "salt": "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI="}  # fmt: skip
        hello = {"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}
        connection.send(json.dumps({"op": 0, "d": hello | ({"authentication": challenge} if self.password else {})}))
        identify = json.loads(connection.recv(2))
        self.check(identify["op"] == 1 and identify["d"]["rpcVersion"] == 1, "identify")
        self.check(set(identify["d"]) <= {"rpcVersion", "authentication", "eventSubscriptions"}, "identify's fields")
        if self.password and identify["d"].get("authentication") != self.answer(challenge):
            connection.close(4009, "Authentication failed.")
            return
        connection.send(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))
        for text in connection:
            message = json.loads(text)
            request = message["d"]
            self.check(message["op"] == 6 and set(request) <= {"requestType", "requestId", "requestData"}, "request")
            self.check(isinstance(request["requestId"], str), "requestId")
            self.requests.append((request["requestType"], request.get("requestData", {})))
            code, data = getattr(self, f"on_{request['requestType']}", self.on_unknown)(request.get("requestData", {}))
            status = {"result": code == 100, "code": code}
            connection.send(json.dumps({"op": 5, "d": {"eventType": "Something", "eventIntent": 1}}))
            answer = {"requestType": request["requestType"], "requestId": request["requestId"], "requestStatus": status}
            connection.send(json.dumps({"op": 7, "d": answer | ({"responseData": data} if data else {})}))

    def answer(self, challenge):
        secret = base64.b64encode(hashlib.sha256((self.password + challenge["salt"]).encode()).digest())
        return base64.b64encode(hashlib.sha256(secret + challenge["challenge"].encode()).digest()).decode()

    def on_GetSceneList(self, _data):
        scenes = [{"sceneIndex": i, "sceneName": name} for i, name in enumerate(("Quiet", "Talk"))]
        return 100, {"currentProgramSceneName": self.scene, "currentPreviewSceneName": None, "scenes": scenes}

    def on_GetCurrentProgramScene(self, _data):
        return 100, {"currentProgramSceneName": self.scene}

    def on_SetCurrentProgramScene(self, data):
        self.check(set(data) == {"sceneName"}, "SetCurrentProgramScene")
        if data["sceneName"] not in ("Quiet", "Talk"):
            return 600, {}
        self.scene = data["sceneName"]
        return 100, {}

    def on_GetSceneItemId(self, data):
        self.check({"sceneName", "sourceName"} <= set(data), "GetSceneItemId")
        return (100, {"sceneItemId": 7}) if data["sourceName"] == "Bubble" else (600, {})

    def on_GetSceneItemEnabled(self, data):
        self.check(set(data) == {"sceneName", "sceneItemId"}, "GetSceneItemEnabled")
        return 100, {"sceneItemEnabled": self.shown.get(data["sceneItemId"], False)}

    def on_SetSceneItemEnabled(self, data):
        self.check(set(data) == {"sceneName", "sceneItemId", "sceneItemEnabled"}, "SetSceneItemEnabled")
        self.shown[data["sceneItemId"]] = data["sceneItemEnabled"]
        return 100, {}

    def on_unknown(self, _data):
        self.problems.append("requestType")
        return 204, {}


def token_files(folder: Path):
    """VTube Studio's tokens below a configuration folder."""
    return sorted(folder.rglob("*.token*"))
