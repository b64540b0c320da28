"""REST, for programs: state, actions, their outcomes, under personal tokens. The stream is the WebSocket's."""
