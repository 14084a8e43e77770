//! The protocol's requests: what this server is, which tools there are, and calls to them; what clusters hold, as resources.
//!
//! Everything else that the protocol knows is either not there, or part of the conformance fixtures.
#![expect(
    deprecated,
    reason = "older clients set a log level, which the newest revision of the protocol gave up"
)]

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestMethod, CompleteRequestParams, CompleteResult,
    GetPromptRequestMethod, GetPromptRequestParams, GetPromptResponse, Implementation,
    ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig, SetLevelRequestMethod, SetLevelRequestParams,
    SubscribeRequestMethod, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestMethod,
    UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::call;
use super::fixtures::Fixtures;
use super::resources;
use crate::config;
use crate::pipeline::Pipeline;
use crate::tools;

/// Prefixed by clients to the name of every tool, so it is short.
const NAME: &str = "kubeplex";

/// The handler; the library clones it for every request.
#[derive(Clone)]
pub(super) struct McpServer(Arc<Shared>);

struct Shared {
    pipeline: Arc<Pipeline>,
    /// Every tool as `tools/list` sends it, by name.
    catalogue: Vec<Tool>,
    fixtures: Option<Fixtures>,
    info: ServerConfig,
}

impl McpServer {
    pub(super) fn new(pipeline: Arc<Pipeline>, fixtures: config::Fixtures) -> Self {
        let fixtures = match fixtures {
            config::Fixtures::Hidden => None,
            config::Fixtures::Served => Some(Fixtures::new()),
        };
        let capabilities = match fixtures {
            None => ServerCapabilities::builder().enable_tools().enable_resources().build(),
            Some(_) => Fixtures::capabilities(),
        };
        let info = ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(NAME, env!("CARGO_PKG_VERSION")).with_title("Kubeplex"))
            .with_instructions(tools::instructions());
        Self(Arc::new(Shared { pipeline, catalogue: catalogue(), fixtures, info }))
    }

    fn fixtures<M: rmcp::model::ConstString>(&self) -> Result<&Fixtures, ErrorData> {
        self.0.fixtures.as_ref().ok_or_else(ErrorData::method_not_found::<M>)
    }
}

/// A descriptor that the library can't read is left out, and a test says so.
fn catalogue() -> Vec<Tool> {
    let descriptors = tools::catalogue().tools().iter().map(tools::Tool::descriptor);
    descriptors.filter_map(|descriptor| serde_json::from_value(descriptor).ok()).collect()
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        self.0.info.clone()
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let caller = call::caller(&context)?;
        let allowed: Vec<_> = self.0.pipeline.tools(&caller).map(|tool| tool.name).collect();
        let mut tools: Vec<_> =
            self.0.catalogue.iter().filter(|tool| allowed.contains(&tool.name.as_ref())).cloned().collect();
        tools.extend(self.0.fixtures.iter().flat_map(|fixtures| fixtures.tools().iter().cloned()));
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match &self.0.fixtures {
            Some(fixtures) if fixtures.has_tool(&request.name) => fixtures.call(request, context).await,
            Some(_) | None => {
                call::call(&self.0.pipeline, request, context).await.map(CallToolResponse::from)
            }
        }
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let fixtures = self.0.fixtures.iter().flat_map(|fixtures| fixtures.tools().iter());
        self.0.catalogue.iter().chain(fixtures).find(|tool| tool.name == name).cloned()
    }

    /// VS Code asks for a log level before it says that it is ready, whether the server logs or not.
    async fn set_level(
        &self,
        _request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let newer =
            context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        if newer { Err(ErrorData::method_not_found::<SetLevelRequestMethod>()) } else { Ok(()) }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.fixtures::<CompleteRequestMethod>()?.complete(&request)
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.fixtures::<ListPromptsRequestMethod>()?.list_prompts()
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.fixtures::<GetPromptRequestMethod>()?.get_prompt(&request)
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        match &self.0.fixtures {
            Some(fixtures) => fixtures.list_resources(),
            None => resources::list(),
        }
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        match &self.0.fixtures {
            Some(fixtures) => fixtures.list_resource_templates(),
            None => resources::templates(),
        }
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match &self.0.fixtures {
            Some(fixtures) => fixtures.read_resource(&request.uri),
            None => resources::read(&self.0.pipeline, &request.uri, &context).await,
        }
    }

    async fn subscribe(
        &self,
        _request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.fixtures::<SubscribeRequestMethod>().map(drop)
    }

    async fn unsubscribe(
        &self,
        _request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.fixtures::<UnsubscribeRequestMethod>().map(drop)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.0.fixtures.as_ref().map(|_| requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        match &self.0.fixtures {
            Some(fixtures) => fixtures.listen(context).await,
            None => Ok(()),
        }
    }
}
