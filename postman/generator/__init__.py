# SPDX-License-Identifier: MIT
"""Makes the Postman collection from the API description and from recorded answers."""
