"""What is used of the Model Context Protocol's SDK: half a second and 60 MB to import."""

import logging

from mcp import Client, MCPError
from mcp.client.auth import (
    OAuthClientProvider,
    OAuthFlowError,
    OAuthRegistrationError,
    OAuthTokenError,
)
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from mcp.shared.message import SessionMessage

__all__ = [
    "AuthorizationCodeResult",
    "Client",
    "ListenNotSupportedError",
    "MCPError",
    "OAuthClientInformationFull",
    "OAuthClientMetadata",
    "OAuthClientProvider",
    "OAuthFlowError",
    "OAuthRegistrationError",
    "OAuthToken",
    "OAuthTokenError",
    "SessionMessage",
    "SubscriptionLost",
    "streamable_http_client",
]

# It logs the whole of what a failure came with, tokens as well: what is said of it is ours.
logging.getLogger("mcp.client.auth").setLevel(logging.CRITICAL)
